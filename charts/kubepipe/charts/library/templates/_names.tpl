{{/*
Start of all names: global.fullnameOverride, else the name of the release.
Usage: {{ include "kubepipe.base" . }}
*/}}
{{- define "kubepipe.base" -}}
{{- .Values.global.fullnameOverride | default .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{/*
Name of one object: base and suffix, cut in the base so that the suffix always stays. The limit is 63, the length of a
DNS label; a StatefulSet needs 52, because its name and a hash of ten become a label of its pods.
Usage: {{ include "kubepipe.fullname" (dict "root" . "suffix" "minio" "limit" 52) }}
*/}}
{{- define "kubepipe.fullname" -}}
{{- $limit := .limit | default 63 | int -}}
{{- $room := sub (sub $limit (len .suffix)) 1 | int -}}
{{- $base := include "kubepipe.base" .root -}}
{{- if gt (len $base) $room -}}
{{- /* Two long names may differ only in what is cut: six digits of a hash keep them apart. */ -}}
{{- $base = printf "%s-%s" ($base | trunc (sub $room 7 | int) | trimSuffix "-") (sha256sum $base | trunc 6) -}}
{{- end -}}
{{- printf "%s-%s" $base .suffix -}}
{{- end -}}

{{/*
Name of a cluster-wide object: it carries the namespace, so that two releases never meet.
Usage: {{ include "kubepipe.clusterName" (dict "root" . "suffix" "crds") }}
*/}}
{{- define "kubepipe.clusterName" -}}
{{- $long := printf "%s-%s" .root.Release.Namespace (include "kubepipe.base" .root) -}}
{{- if gt (len $long) 50 -}}
{{- $long = printf "%s-%s" ($long | trunc 43 | trimSuffix "-") (sha256sum $long | trunc 6) -}}
{{- end -}}
{{- printf "%s-%s" $long .suffix -}}
{{- end -}}

{{/*
Full name of a Service within the cluster.
Usage: {{ include "kubepipe.host" (dict "root" . "service" "ml-pipeline") }}
*/}}
{{- define "kubepipe.host" -}}
{{- printf "%s.%s.svc.%s" .service .root.Release.Namespace .root.Values.global.clusterDomain -}}
{{- end -}}

{{/*
Name of the service account of the steps of a run.
Usage: {{ include "kubepipe.runnerName" . }}
*/}}
{{- define "kubepipe.runnerName" -}}
{{- .Values.global.pipelineRunner.name | default "pipeline-runner" -}}
{{- end -}}
