{{/*
config.json of the API server. Credentials come from secrets by environment and are not in it.
Usage: {{ include "kfp.config" . }}
*/}}
{{- define "kfp.config" -}}
{{- $db := .Values.global.database -}}
{{- $mysql := dict "Host" (include "kubepipe.db.host" .) "Port" ($db.port | toString) "DBName" $db.pipelines "GroupConcatMaxLen" "4194304" -}}
{{- $store := dict
  "Host" (include "kubepipe.s3.host" .)
  "Port" (include "kubepipe.s3.port" .)
  "Secure" (include "kubepipe.s3.secure" .)
  "Region" .Values.global.objectStore.region
  "BucketName" .Values.global.buckets.artifacts.name
  "PipelinePath" "pipelines" -}}
{{- dict
  "DBDriverName" "mysql"
  "DBConfig" (dict "ConMaxLifeTime" "120s" "MySQLConfig" $mysql)
  "ObjectStoreConfig" $store
  "ARCHIVE_CONFIG_LOG_FILE_NAME" "main.log"
  "ARCHIVE_CONFIG_LOG_PATH_PREFIX" "/artifacts"
  "InitConnectionTimeout" "6m"
  "CacheEnabled" "true"
  "CRON_SCHEDULE_TIMEZONE" .Values.scheduledWorkflows.timezone
  "DEFAULTPIPELINERUNNERSERVICEACCOUNT" (include "kubepipe.runnerName" .) | toPrettyJson -}}
{{- end -}}

{{/*
Environment of the API server, as a YAML list.
Usage: {{ include "kfp.apiServer.env" . | fromYamlArray }}
*/}}
{{- define "kfp.apiServer.env" -}}
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: CLUSTER_DOMAIN
  value: {{ .Values.global.clusterDomain }}
- name: ML_PIPELINE_SERVICE_NAME
  value: {{ .Values.apiServer.serviceName }}
- name: METADATA_SERVICE_NAME
  value: {{ .Values.metadata.serviceName }}
- name: DBCONFIG_MYSQLCONFIG_USER
  value: {{ .Values.global.database.user }}
- name: DBCONFIG_MYSQLCONFIG_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "kubepipe.db.secret" . }}
      key: {{ .Values.global.database.passwordKey }}
{{- if not .Values.global.objectStore.workloadIdentity }}
- {{ include "kubepipe.s3.env" (dict "root" . "user" "admin" "name" "OBJECTSTORECONFIG_ACCESSKEY" "key" "accessKeyKey") | nindent 2 | trim }}
- {{ include "kubepipe.s3.env" (dict "root" . "user" "admin" "name" "OBJECTSTORECONFIG_SECRETACCESSKEY" "key" "secretKeyKey") | nindent 2 | trim }}
{{- end }}
- name: V2_DRIVER_IMAGE
  value: {{ include "kubepipe.image" (dict "root" . "image" .Values.steps.driverImage) }}
- name: V2_LAUNCHER_IMAGE
  value: {{ include "kubepipe.image" (dict "root" . "image" .Values.steps.launcherImage) }}
- name: V2_DRIVER_COMMAND
  value: /bin/driver
- name: V2_LAUNCHER_COMMAND
  value: /bin/launcher-v2
- name: PUBLISH_LOGS
  value: "false"
- name: PIPELINE_LOG_LEVEL
  value: "1"
# The program ends at once without these two, although nothing listens there.
- name: ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_HOST
  value: localhost
- name: ML_PIPELINE_VISUALIZATIONSERVER_SERVICE_PORT
  value: "8888"
# Without these the containers of steps are refused under Pod Security "restricted".
- name: DEFAULT_SECURITY_CONTEXT_RUN_AS_NON_ROOT
  value: "true"
{{- if not (include "kubepipe.openshift" .) }}
- name: DEFAULT_SECURITY_CONTEXT_RUN_AS_USER
  value: {{ .Values.steps.runAsUser | int | quote }}
- name: DEFAULT_SECURITY_CONTEXT_RUN_AS_GROUP
  value: {{ .Values.steps.runAsUser | int | quote }}
{{- end }}
{{- end -}}
