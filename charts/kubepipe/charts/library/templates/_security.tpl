{{/*
Whether user ids are left to the cluster: "true" or empty.
Usage: {{ if include "kubepipe.openshift" . }}
*/}}
{{- define "kubepipe.openshift" -}}
{{- $set := .Values.global.openshift -}}
{{- if or (eq $set "true") (and (eq $set "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) -}}true{{- end -}}
{{- end -}}

{{/*
Security context of a pod under the Pod Security level "restricted".
Usage: {{- include "kubepipe.podSecurity" (dict "root" . "user" 1000 "files" true) | nindent 8 }}
`files`: volumes belong to the user's group.
*/}}
{{- define "kubepipe.podSecurity" -}}
runAsNonRoot: true
{{- if not (include "kubepipe.openshift" .root) }}
runAsUser: {{ .user | int }}
runAsGroup: {{ .user | int }}
{{- if .files }}
fsGroup: {{ .user | int }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/*
Security context of a container under "restricted", with a read-only root.
Usage: {{- include "kubepipe.containerSecurity" . | nindent 12 }}
*/}}
{{- define "kubepipe.containerSecurity" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}
