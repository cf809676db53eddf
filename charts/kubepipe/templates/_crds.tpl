{{/*
The definitions of this product, and of all engines that this release brings, by file name.
Usage: {{ include "kubepipe.crds" . | fromYaml }}
*/}}
{{- define "kubepipe.crds" -}}
{{- $all := dict -}}
{{- range $path, $content := .Files.Glob "crds/*.yaml" -}}
{{- $_ := set $all (base $path) ($content | toString) -}}
{{- end -}}
{{- range list "kubeflowPipelines" "argoWorkflows" "argoEvents" -}}
{{- if index $.Subcharts . -}}
{{- range $path, $content := (index $.Subcharts .).Files.Glob "crds/*.yaml" -}}
{{- $_ := set $all (base $path) ($content | toString) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $all | toYaml -}}
{{- end -}}
