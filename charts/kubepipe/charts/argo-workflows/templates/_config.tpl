{{/*
Patch on every pod of a run. The root of the main container is read-only and /tmp is a volume: drivers write /tmp/outputs,
steps unpack there. It must not name an init container, because drivers have not the same ones as steps.
Usage: {{ include "argo.podSpecPatch" . }}
*/}}
{{- define "argo.podSpecPatch" -}}
{{- $main := dict
  "name" "main"
  "securityContext" (dict "readOnlyRootFilesystem" true)
  "volumeMounts" (list (dict "name" "kubepipe-tmp" "mountPath" "/tmp")) -}}
{{- $patch := dict
  "containers" (list $main)
  "volumes" (list (dict "name" "kubepipe-tmp" "emptyDir" (dict "sizeLimit" .Values.runs.tmpSizeLimit))) -}}
{{- with .Values.runs.priorityClassName -}}{{- $_ := set $patch "priorityClassName" . -}}{{- end -}}
{{- with .Values.runs.runtimeClassName -}}{{- $_ := set $patch "runtimeClassName" . -}}{{- end -}}
{{- with .Values.global.imagePullSecrets -}}{{- $_ := set $patch "imagePullSecrets" . -}}{{- end -}}
{{- $patch | toJson -}}
{{- end -}}

{{/*
Data of the controller's ConfigMap.
Usage: {{ include "argo.config" . }}
*/}}
{{- define "argo.config" -}}
executor: |
  imagePullPolicy: {{ .Values.executor.image.pullPolicy }}
  {{- include "kubepipe.resources" .Values.executor.resources | nindent 2 }}
  securityContext:
    {{- include "kubepipe.containerSecurity" . | nindent 4 }}
    {{- if not (include "kubepipe.openshift" .) }}
    # argoexec is a root image: without a user id here no pod of a run starts.
    runAsUser: {{ .Values.executor.runAsUser | int }}
    {{- end }}
    seccompProfile:
      type: RuntimeDefault
{{- with .Values.runs.parallelism }}
parallelism: {{ int . | quote }}
{{- end }}
{{- if .Values.runs.archiveLogs.enabled }}
{{- $store := .Values.global.objectStore }}
artifactRepository: |
  archiveLogs: true
  s3:
    endpoint: {{ include "kubepipe.s3.endpoint" . }}
    bucket: {{ .Values.global.buckets.artifacts.name }}
    region: {{ $store.region }}
    insecure: {{ ne (include "kubepipe.s3.secure" .) "true" }}
    keyFormat: logs/{{ "{{workflow.name}}/{{pod.name}}" }}
    {{- if $store.workloadIdentity }}
    useSDKCreds: true
    {{- else }}
    accessKeySecret:
      name: {{ include "kubepipe.s3.secret" (dict "root" . "user" "artifacts") }}
      key: {{ $store.accessKeyKey }}
    secretKeySecret:
      name: {{ include "kubepipe.s3.secret" (dict "root" . "user" "artifacts") }}
      key: {{ $store.secretKeyKey }}
    {{- end }}
{{- end }}
workflowDefaults: |
  spec:
    activeDeadlineSeconds: {{ .Values.runs.activeDeadlineSeconds | int }}
    ttlStrategy:
      secondsAfterCompletion: {{ .Values.runs.ttlSeconds | int }}
    podGC:
      strategy: OnWorkflowCompletion
      deleteDelayDuration: {{ .Values.runs.podGcDelaySeconds | int }}s
    podSpecPatch: {{ include "argo.podSpecPatch" . | squote }}
{{- end -}}
