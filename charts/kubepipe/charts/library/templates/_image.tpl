{{/*
A full image name. global.imageRegistry wins over the image's own registry; tag and digest may stand together.
Usage: {{ include "kubepipe.image" (dict "root" . "image" .Values.minio.image) }}
*/}}
{{- define "kubepipe.image" -}}
{{- $registry := .root.Values.global.imageRegistry | default .image.registry | trimSuffix "/" -}}
{{- $name := printf "%s:%s" .image.repository .image.tag -}}
{{- with $registry -}}{{- $name = printf "%s/%s" . $name -}}{{- end -}}
{{- with .image.digest -}}{{- $name = printf "%s@%s" $name . -}}{{- end -}}
{{- $name -}}
{{- end -}}
