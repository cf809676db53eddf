{{/*
The object store as all parts see it: host, port, host:port, and whether TLS is spoken ("true" or "false").
Usage: {{ include "kubepipe.s3.host" . }}
*/}}
{{- define "kubepipe.s3.host" -}}
{{- with .Values.global.objectStore.endpoint -}}
{{- splitList ":" . | first -}}
{{- else -}}
{{- include "kubepipe.host" (dict "root" . "service" (include "kubepipe.fullname" (dict "root" . "suffix" "minio" "limit" 52))) -}}
{{- end -}}
{{- end -}}

{{- define "kubepipe.s3.port" -}}
{{- $store := .Values.global.objectStore -}}
{{- if not $store.endpoint -}}9000
{{- else if contains ":" $store.endpoint -}}{{- splitList ":" $store.endpoint | last -}}
{{- else -}}{{- ternary "443" "80" $store.secure -}}
{{- end -}}
{{- end -}}

{{- define "kubepipe.s3.endpoint" -}}
{{- with .Values.global.objectStore.endpoint -}}{{- . -}}
{{- else -}}{{- printf "%s:9000" (include "kubepipe.s3.host" .) -}}{{- end -}}
{{- end -}}

{{- define "kubepipe.s3.secure" -}}
{{- and .Values.global.objectStore.secure (ne .Values.global.objectStore.endpoint "") -}}
{{- end -}}

{{/*
Secrets of the store's users: admin (buckets, users), artifacts (what steps hand on), source (incoming and quarantine).
Usage: {{ include "kubepipe.s3.secret" (dict "root" . "user" "artifacts") }}
*/}}
{{- define "kubepipe.s3.secret" -}}
{{- $store := .root.Values.global.objectStore -}}
{{- $admin := $store.existingSecret | default (include "kubepipe.fullname" (dict "root" .root "suffix" "object-store")) -}}
{{- if eq .user "admin" -}}
{{- $admin -}}
{{- else if (index $store .user).existingSecret -}}
{{- (index $store .user).existingSecret -}}
{{- else if or $store.endpoint (not $store.separateUsers) -}}
{{- $admin -}}
{{- else if eq .user "artifacts" -}}
mlpipeline-minio-artifact
{{- else -}}
{{- include "kubepipe.fullname" (dict "root" .root "suffix" (printf "%s-store" .user)) -}}
{{- end -}}
{{- end -}}

{{/*
An environment variable from a key of one of those secrets, as a YAML map.
Usage: {{ include "kubepipe.s3.env" (dict "root" . "user" "admin" "name" "MINIO_ROOT_USER" "key" "accessKeyKey") | fromYaml }}
*/}}
{{- define "kubepipe.s3.env" -}}
name: {{ .name }}
valueFrom:
  secretKeyRef:
    name: {{ include "kubepipe.s3.secret" . }}
    key: {{ index .root.Values.global.objectStore .key }}
{{- end -}}

{{/*
The database as all parts see it.
Usage: {{ include "kubepipe.db.host" . }}
*/}}
{{- define "kubepipe.db.host" -}}
{{- with .Values.global.database.host -}}{{- . -}}
{{- else -}}
{{- include "kubepipe.host" (dict "root" . "service" (include "kubepipe.fullname" (dict "root" . "suffix" "mariadb" "limit" 52))) -}}
{{- end -}}
{{- end -}}

{{- define "kubepipe.db.secret" -}}
{{- .Values.global.database.existingSecret | default (include "kubepipe.fullname" (dict "root" . "suffix" "database")) -}}
{{- end -}}

{{/*
URL of the pipelines API.
Usage: {{ include "kubepipe.kfp.endpoint" . }}  (parent chart only)
*/}}
{{- define "kubepipe.kfp.endpoint" -}}
{{- with .Values.global.kubeflowPipelines.endpoint -}}{{- . | trimSuffix "/" -}}
{{- else -}}
{{- printf "http://%s:8888" (include "kubepipe.host" (dict "root" . "service" .Values.kubeflowPipelines.apiServer.serviceName)) -}}
{{- end -}}
{{- end -}}
