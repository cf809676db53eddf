{{/*
Egress rule to the pipelines API, bundled or existing.
Usage: {{- include "kubepipe.toPipelines" . | nindent 4 }}
*/}}
{{- define "kubepipe.toPipelines" -}}
- to:
    {{- if .Values.global.kubeflowPipelines.endpoint }}
    {{- range .Values.global.kubeflowPipelines.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- $url := urlParse .Values.global.kubeflowPipelines.endpoint }}
    - port: {{ regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) }}
    {{- else }}
    {{- include "kubepipe.peers" (dict "root" . "components" (list "kfp-api")) | nindent 4 }}
  ports:
    - port: 8888
    {{- end }}
{{- end -}}
