{{/*
The definitions of all engines that this release brings, by file name.
Usage: {{ include "kubepipe.crds" . | fromYaml }}
*/}}
{{- define "kubepipe.crds" -}}
{{- $all := dict -}}
{{- range list "kubeflowPipelines" "argoWorkflows" "argoEvents" -}}
{{- if index $.Subcharts . -}}
{{- range $path, $content := (index $.Subcharts .).Files.Glob "crds/*.yaml" -}}
{{- $_ := set $all (base $path) ($content | toString) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $all | toYaml -}}
{{- end -}}
