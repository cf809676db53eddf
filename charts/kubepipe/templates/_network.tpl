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

{{/*
Egress rule to the event bus.
Usage: {{- include "kubepipe.events.toBus" . | nindent 4 }}
*/}}
{{- define "kubepipe.events.toBus" -}}
- to:
    {{- include "kubepipe.peers" (dict "root" . "components" (list "events-bus")) | nindent 4 }}
  ports:
    - port: 4222
{{- end -}}

{{/*
Ingress rule from Prometheus to programs of Argo Events, or nothing.
Usage: {{- include "kubepipe.events.fromPrometheus" . | nindent 4 }}
*/}}
{{- define "kubepipe.events.fromPrometheus" -}}
{{- with .Values.events.metrics.allowFrom -}}
- from:
    {{- toYaml . | nindent 4 }}
  ports:
    - port: 7777
{{- end -}}
{{- end -}}
