{{/*
Secret with the bearer token of the server.
Usage: {{ include "kubepipe.servingToken" . }}
*/}}
{{- define "kubepipe.servingToken" -}}
{{- .Values.serving.tokenSecret | default (include "kubepipe.fullname" (dict "root" . "suffix" "serving-token")) -}}
{{- end -}}
