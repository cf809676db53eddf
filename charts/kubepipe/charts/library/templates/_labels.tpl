{{/*
Labels by which a workload finds its pods. They never change within a release.
Usage: {{ include "kubepipe.selector" (dict "root" . "component" "minio") }}
*/}}
{{- define "kubepipe.selector" -}}
app.kubernetes.io/name: kubepipe
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/*
Labels of every object.
Usage: {{ include "kubepipe.labels" (dict "root" . "component" "minio") }}
*/}}
{{- define "kubepipe.labels" -}}
{{ include "kubepipe.selector" . }}
app.kubernetes.io/part-of: kubepipe
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | replace "+" "_" | trunc 63 | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.global.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Metadata of a namespaced object: name, namespace, labels.
Usage: {{- include "kubepipe.metadata" (dict "root" . "component" "minio" "name" $name) | nindent 2 }}
*/}}
{{- define "kubepipe.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "kubepipe.labels" . | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Metadata of a pod template; `labels` are those that network policies look at.
Usage: {{- include "kubepipe.podMetadata" (dict "root" . "component" "x" "options" .Values.x "checksum" $text) | nindent 6 }}
*/}}
{{- define "kubepipe.podMetadata" -}}
labels:
  {{- include "kubepipe.selector" . | nindent 2 }}
  app.kubernetes.io/part-of: kubepipe
  {{- with mustMergeOverwrite (deepCopy .root.Values.global.commonLabels) .options.podLabels (.labels | default dict) }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := deepCopy .options.podAnnotations -}}
{{- with .checksum }}
{{- $_ := set $annotations "checksum/config" (sha256sum .) }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Metadata of a cluster-wide object.
Usage: {{- include "kubepipe.clusterMetadata" (dict "root" . "component" "crds" "name" $name) | nindent 2 }}
*/}}
{{- define "kubepipe.clusterMetadata" -}}
name: {{ .name }}
labels:
  {{- include "kubepipe.labels" . | nindent 2 }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
