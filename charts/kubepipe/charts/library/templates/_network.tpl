{{/*
Pods of one or more components of the release, as NetworkPolicy peers.
Usage: {{- include "kubepipe.peers" (dict "root" . "components" (list "kfp-api")) | nindent 8 }}
*/}}
{{- define "kubepipe.peers" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: kubepipe
      app.kubernetes.io/instance: {{ .root.Release.Name }}
    matchExpressions:
      - key: app.kubernetes.io/component
        operator: In
        values: {{ toJson .components }}
{{- end -}}

{{/*
Pods of runs: Kubeflow Pipelines labels every driver and every step.
Usage: {{- include "kubepipe.stepPeers" . | nindent 8 }}
*/}}
{{- define "kubepipe.stepPeers" -}}
- podSelector:
    matchLabels:
      pipelines.kubeflow.org/v2_component: "true"
{{- end -}}

{{/*
Whoever else may call the API and the store: labelled pods of the namespace, and the peers of the values.
Usage: {{- include "kubepipe.clientPeers" . | nindent 8 }}
*/}}
{{- define "kubepipe.clientPeers" -}}
- podSelector:
    matchLabels:
      kubepipe/client: "true"
{{- with .Values.global.networkPolicy.clients }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Egress rule to the cluster's DNS.
Usage: {{- include "kubepipe.toDns" . | nindent 4 }}
*/}}
{{- define "kubepipe.toDns" -}}
{{- $dns := .Values.global.networkPolicy.dns -}}
- to:
    - namespaceSelector:
        matchLabels:
          {{- toYaml $dns.namespaceLabels | nindent 10 }}
    {{- range $dns.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- range $dns.ports }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/*
Egress rule to the Kubernetes API.
Usage: {{- include "kubepipe.toKubernetes" . | nindent 4 }}
*/}}
{{- define "kubepipe.toKubernetes" -}}
{{- $api := .Values.global.networkPolicy.kubernetesApi -}}
- to:
    {{- range $api.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- range $api.ports }}
    - port: {{ . }}
    {{- end }}
{{- end -}}

{{/*
Egress rule to the object store, bundled or existing.
Usage: {{- include "kubepipe.toStore" . | nindent 4 }}
*/}}
{{- define "kubepipe.toStore" -}}
- to:
    {{- if .Values.global.objectStore.endpoint }}
    {{- range .Values.global.objectStore.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
    {{- else }}
    {{- include "kubepipe.peers" (dict "root" . "components" (list "minio")) | nindent 4 }}
    {{- end }}
  ports:
    - port: {{ include "kubepipe.s3.port" . }}
{{- end -}}

{{/*
Egress rule to the database, bundled or existing.
Usage: {{- include "kubepipe.toDatabase" . | nindent 4 }}
*/}}
{{- define "kubepipe.toDatabase" -}}
- to:
    {{- if .Values.global.database.host }}
    {{- range .Values.global.database.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
    {{- else }}
    {{- include "kubepipe.peers" (dict "root" . "components" (list "mariadb")) | nindent 4 }}
    {{- end }}
  ports:
    - port: {{ .Values.global.database.port }}
{{- end -}}

{{/*
Head of a policy for one component: metadata, selector, both directions.
Usage: {{- include "kubepipe.policyFor" (dict "root" . "component" "minio" "name" $name) }}
*/}}
{{- define "kubepipe.policyFor" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "kubepipe.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "kubepipe.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end -}}
