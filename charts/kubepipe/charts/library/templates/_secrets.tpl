{{/*
One entry of a generated secret: what the cluster has under that name and key, else a new value. Renderings without a
cluster cannot look, so they make a new value each time: see global.gitops.
Usage: {{ include "kubepipe.kept" (dict "root" . "secret" $name "key" "password" "fresh" (randAlphaNum 32 | b64enc)) }}
`fresh` and the answer are in base64, as they stand in the `data` of a Secret.
*/}}
{{- define "kubepipe.kept" -}}
{{- $present := lookup "v1" "Secret" .root.Release.Namespace .secret | default dict -}}
{{- dig "data" .key .fresh $present -}}
{{- end -}}

{{/*
Annotations of what outlives the release.
Usage: {{ include "kubepipe.keep" . | fromYaml }}
*/}}
{{- define "kubepipe.keep" -}}
helm.sh/resource-policy: keep
{{- end -}}
