{{/*
Whether the API server compares the name in a decision with who makes it: "true" or empty.
Usage: {{ if include "kubepipe.decisions.enforced" . }}
*/}}
{{- define "kubepipe.decisions.enforced" -}}
{{- $known := semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version -}}
{{- if and (include "kubepipe.events.on" .) .Values.events.decisions.enforceIdentity $known -}}true{{- end -}}
{{- end -}}
