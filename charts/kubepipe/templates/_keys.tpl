{{/*
Secrets with the privacy keys and with the key of the model signature, and ConfigMap with their public halves.
Usage: {{ include "kubepipe.keysSecret" . }}
*/}}
{{- define "kubepipe.keysSecret" -}}
{{- .Values.keys.existingSecret | default (include "kubepipe.fullname" (dict "root" . "suffix" "privacy-keys")) -}}
{{- end -}}

{{- define "kubepipe.signingSecret" -}}
{{- .Values.signing.existingSecret | default (include "kubepipe.fullname" (dict "root" . "suffix" "model-signing")) -}}
{{- end -}}

{{- define "kubepipe.permitsConfigMap" -}}
{{- include "kubepipe.fullname" (dict "root" . "suffix" "permits") -}}
{{- end -}}
