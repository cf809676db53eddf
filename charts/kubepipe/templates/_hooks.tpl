{{/*
Annotations of a hook object. A hook that succeeded is removed; one that failed stays for its logs until the next try.
Usage: {{ include "kubepipe.hook" (dict "on" "pre-upgrade" "weight" -5) | fromYaml }}
*/}}
{{- define "kubepipe.hook" -}}
helm.sh/hook: {{ .on }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/*
Pod template of a hook: our own image, nothing is fetched, `args` go to the kubepipe command.
Usage: {{- include "kubepipe.hookPod" (dict "root" . "component" "setup" "account" $name "args" (list "cluster" "setup") "env" $env "mounts" $mounts "volumes" $volumes) | nindent 4 }}
*/}}
{{- define "kubepipe.hookPod" -}}
{{- $root := .root -}}
{{- $options := $root.Values.hooks -}}
metadata:
  {{- include "kubepipe.podMetadata" (dict "root" $root "component" .component "options" $options) | nindent 2 }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ .account }}
  automountServiceAccountToken: {{ .token }}
  securityContext:
    {{- include "kubepipe.podSecurity" (dict "root" $root "user" 65532 "files" true) | nindent 4 }}
  {{- include "kubepipe.scheduling" (dict "root" $root "options" $options "component" .component) | nindent 2 }}
  containers:
    - name: {{ .component }}
      image: {{ include "kubepipe.image" (dict "root" $root "image" $root.Values.images.stages) }}
      imagePullPolicy: {{ $root.Values.images.stages.pullPolicy }}
      command: {{ .command | default (list "kubepipe") | toJson }}
      args: {{ .args | toJson }}
      {{- include "kubepipe.env" (dict "root" $root "options" $options "own" .env) | nindent 6 }}
      securityContext:
        {{- include "kubepipe.containerSecurity" $root | nindent 8 }}
      {{- include "kubepipe.resources" $options.resources | nindent 6 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- range .mounts }}
        - {{ toYaml . | nindent 10 | trim }}
        {{- end }}
        {{- include "kubepipe.caMount" $root | nindent 8 }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- range .volumes }}
    - {{ toYaml . | nindent 6 | trim }}
    {{- end }}
    {{- include "kubepipe.caVolume" $root | nindent 4 }}
{{- end -}}

{{/*
What setup, cleanup and tests are told. The format is described in files/README.md.
Usage: {{ include "kubepipe.setup" . }}
*/}}
{{- define "kubepipe.setup" -}}
{{- $buckets := .Values.global.buckets -}}
{{- $list := list -}}
{{- range list "incoming" "quarantine" "artifacts" "store" -}}
{{- $bucket := index $buckets . -}}
{{- $days := dict -}}
{{- range $prefix, $number := $bucket.expireDays -}}{{- $_ := set $days $prefix (int $number) -}}{{- end -}}
{{- $list = append $list (dict "name" $bucket.name "versioning" $bucket.versioning "expireDays" $days) -}}
{{- end -}}
{{- $document := dict
  "release" .Release.Name
  "namespace" .Release.Namespace
  "timeoutSeconds" (.Values.hooks.timeoutSeconds | int)
  "kfp" (dict "endpoint" (include "kubepipe.kfp.endpoint" .))
  "s3" (dict "endpoint" (include "kubepipe.s3.endpoint" .) "secure" (eq (include "kubepipe.s3.secure" .) "true") "region" .Values.global.objectStore.region)
  "buckets" $list -}}
{{- if include "kubepipe.makesUsers" . -}}
{{- $shared := dict $buckets.artifacts.name "read-write" $buckets.store.name "read-write" -}}
{{- $source := mustMerge (dict $buckets.incoming.name "read" $buckets.quarantine.name "read-write") $shared -}}
{{- $users := list
  (dict "folder" "/etc/kubepipe/users/artifacts" "policy" "kubepipe-artifacts" "grants" $shared)
  (dict "folder" "/etc/kubepipe/users/source" "policy" "kubepipe-source" "grants" $source) -}}
{{- if .Values.serving.enabled -}}
{{- $users = append $users (dict "folder" "/etc/kubepipe/users/serving" "policy" "kubepipe-serving" "grants" (dict $buckets.store.name "read")) -}}
{{- end -}}
{{- $_ := set $document "users" $users -}}
{{- end -}}
{{- if .Values.pipeline.enabled -}}
{{- $_ := set $document "pipeline" (dict "name" .Values.pipeline.name "file" "/etc/kubepipe/pipeline/kubepipe.yaml" "overlay" "/etc/kubepipe/overlay/overlay.json") -}}
{{- if not .Values.keys.publicKey -}}
{{- $_ := set $document "keys" (dict "privateKeyFile" "/etc/kubepipe/keys/permit-signing.pem" "publicKeyConfigMap" (include "kubepipe.permitsConfigMap" .) "publicKeyName" "permit-public.pem" "namespace" .Release.Namespace) -}}
{{- end -}}
{{- if not .Values.signing.publicKey -}}
{{- $_ := set $document "signing" (dict "privateKeyFile" "/etc/kubepipe/signing/model-signing.pem" "publicKeyConfigMap" (include "kubepipe.permitsConfigMap" .) "publicKeyName" "model-public.pem" "namespace" .Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- $document | toPrettyJson -}}
{{- end -}}

{{/*
Whether the setup hook makes the users of the bundled store: "true" or empty.
Usage: {{ if include "kubepipe.makesUsers" . }}
*/}}
{{- define "kubepipe.makesUsers" -}}
{{- $store := .Values.global.objectStore -}}
{{- if and .Values.minio.enabled $store.separateUsers (not $store.workloadIdentity) -}}true{{- end -}}
{{- end -}}

{{/*
Environment with the store's address and one user's credentials, as a YAML list.
Usage: {{ include "kubepipe.storeEnv" (dict "root" . "user" "admin") | fromYamlArray }}
*/}}
{{- define "kubepipe.storeEnv" -}}
- name: KUBEPIPE_S3_ENDPOINT
  value: {{ include "kubepipe.s3.endpoint" .root }}
- name: KUBEPIPE_S3_SECURE
  value: {{ include "kubepipe.s3.secure" .root | quote }}
- name: KUBEPIPE_S3_REGION
  value: {{ .root.Values.global.objectStore.region }}
{{- if not .root.Values.global.objectStore.workloadIdentity }}
- {{ include "kubepipe.s3.env" (dict "root" .root "user" .user "name" "KUBEPIPE_S3_ACCESS_KEY" "key" "accessKeyKey") | nindent 2 | trim }}
- {{ include "kubepipe.s3.env" (dict "root" .root "user" .user "name" "KUBEPIPE_S3_SECRET_KEY" "key" "secretKeyKey") | nindent 2 | trim }}
{{- end }}
{{- end -}}
