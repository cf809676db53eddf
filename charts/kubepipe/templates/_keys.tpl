{{/*
Secret with the privacy keys, and ConfigMap with the public key of permits.
Usage: {{ include "kubepipe.keysSecret" . }}
*/}}
{{- define "kubepipe.keysSecret" -}}
{{- .Values.keys.existingSecret | default (include "kubepipe.fullname" (dict "root" . "suffix" "privacy-keys")) -}}
{{- end -}}

{{- define "kubepipe.permitsConfigMap" -}}
{{- include "kubepipe.fullname" (dict "root" . "suffix" "permits") -}}
{{- end -}}
