{{/*
Whether runs start by themselves: "true" or empty.
Usage: {{ if include "kubepipe.events.on" . }}
*/}}
{{- define "kubepipe.events.on" -}}
{{- if and .Values.events.enabled .Values.pipeline.enabled -}}true{{- end -}}
{{- end -}}

{{/*
How objects are found: webhook or poll.
Usage: {{ include "kubepipe.events.mode" . }}
*/}}
{{- define "kubepipe.events.mode" -}}
{{- if ne .Values.events.mode "auto" -}}
{{- .Values.events.mode -}}
{{- else -}}
{{- ternary "webhook" "poll" (and .Values.minio.enabled .Values.argoEvents.enabled) -}}
{{- end -}}
{{- end -}}

{{/*
Whether the store tells of new objects through Argo Events: "true" or empty.
Usage: {{ if include "kubepipe.events.webhook" . }}
*/}}
{{- define "kubepipe.events.webhook" -}}
{{- if and (include "kubepipe.events.on" .) (eq (include "kubepipe.events.mode" .) "webhook") -}}true{{- end -}}
{{- end -}}

{{/*
Target of the store that posts hints to the controller; empty when it gets none.
Usage: {{ include "kubepipe.events.hintArn" . }}
*/}}
{{- define "kubepipe.events.hintArn" -}}
{{- if and .Values.events.hint (include "kubepipe.events.webhook" .) -}}
{{- ternary "arn:minio:sqs::KUBEPIPEHINT:webhook" .Values.events.webhook.hintArn .Values.minio.enabled -}}
{{- end -}}
{{- end -}}

{{/*
Names of the event bus, the event source and the sensor. The controller of Argo Events puts up to 23 characters around them,
and a StatefulSet must stay below 52.
Usage: {{ include "kubepipe.events.name" (dict "root" . "part" "bus") }}
*/}}
{{- define "kubepipe.events.name" -}}
{{- include "kubepipe.fullname" (dict "root" .root "suffix" .part "limit" 40) -}}
{{- end -}}

{{/*
Rules of the values, each filled up from events.ruleDefaults, as a JSON list.
Usage: {{ include "kubepipe.events.rules" . | fromJsonArray }}
*/}}
{{- define "kubepipe.events.rules" -}}
{{- $rules := list -}}
{{- range .Values.events.rules -}}
{{- $rule := deepCopy $.Values.events.ruleDefaults -}}
{{- range $key, $value := . -}}{{- $_ := set $rule $key $value -}}{{- end -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- $rules | toJson -}}
{{- end -}}

{{/*
Where the controller finds the URLs of notifications; empty tells nobody.
Usage: {{ include "kubepipe.events.urlsSecret" . }}
*/}}
{{- define "kubepipe.events.urlsSecret" -}}
{{- $told := .Values.events.notifications -}}
{{- if $told.existingSecret -}}
{{- $told.existingSecret -}}
{{- else if $told.urls -}}
{{- include "kubepipe.fullname" (dict "root" . "suffix" "notifications") -}}
{{- end -}}
{{- end -}}

{{/*
What the controller and the ticks are told: kubepipe_events.config.EventsConfig.
Usage: {{ include "kubepipe.events.config" . }}
*/}}
{{- define "kubepipe.events.config" -}}
{{- $events := .Values.events -}}
{{- $told := dict "on" $events.notifications.about "stuckAfterSeconds" $events.notifications.stuckAfterSeconds -}}
{{- if include "kubepipe.events.urlsSecret" . -}}
{{- $_ := set $told "urlsFile" "/etc/kubepipe/notifications/urls" -}}
{{- end -}}
{{- $hint := ternary (dict "tokenFile" "/etc/kubepipe/webhook/token" "port" 12001) nil (ne (include "kubepipe.events.hintArn" .) "") -}}
{{- dict
  "bucket" .Values.global.buckets.incoming.name
  "kfpEndpoint" (include "kubepipe.kfp.endpoint" .)
  "pipeline" .Values.pipeline.name
  "settings" .Values.pipeline.settings
  "mode" (include "kubepipe.events.mode" .)
  "hint" $hint
  "rules" (include "kubepipe.events.rules" . | fromJsonArray)
  "schedules" $events.schedules
  "sweep" $events.sweep
  "limits" $events.limits
  "retry" $events.retry
  "notifications" $told
  "keepSeconds" (int64 $events.keepSeconds)
  "quarantineSeconds" (int64 (mul .Values.global.retention.quarantine 86400))
  "port" (int $events.port) | toPrettyJson -}}
{{- end -}}

{{/*
Environment of the controller and of ticks: the store as the steps before the gate see it, and who the pod is.
Usage: {{ include "kubepipe.events.env" . | fromYamlArray }}
*/}}
{{- define "kubepipe.events.env" -}}
{{ include "kubepipe.storeEnv" (dict "root" . "user" "source") }}
- name: KUBEPIPE_STORE
  value: s3://{{ .Values.global.buckets.store.name }}
- name: KUBEPIPE_QUARANTINE
  value: s3://{{ .Values.global.buckets.quarantine.name }}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_ID
  valueFrom: {fieldRef: {fieldPath: metadata.uid}}
{{- end -}}

{{/*
What Argo Events calls a template: how the pod of an event source or a sensor runs.
Usage: {{- include "kubepipe.events.template" (dict "root" . "component" "events-sensor" "account" $name "options" .Values.events.sensor) | nindent 4 }}
*/}}
{{- define "kubepipe.events.template" -}}
{{- $root := .root -}}
{{- /* Argo Events knows no topologySpreadConstraints. */ -}}
{{- $options := mustMerge (deepCopy .options) (dict "topologySpreadConstraints" list) -}}
metadata:
  {{- include "kubepipe.podMetadata" (dict "root" $root "component" .component "options" $options) | nindent 2 }}
serviceAccountName: {{ .account }}
securityContext:
  {{- include "kubepipe.podSecurity" (dict "root" $root "user" 9731) | nindent 2 }}
{{- include "kubepipe.scheduling" (dict "root" $root "options" $options "component" .component) | nindent 0 }}
# Probes cannot be given, and the pull policy is the controller's own.
container:
  {{- include "kubepipe.env" (dict "root" $root "options" $options) | nindent 2 }}
  securityContext:
    {{- include "kubepipe.containerSecurity" $root | nindent 4 }}
  {{- include "kubepipe.resources" $options.resources | nindent 2 }}
  {{- with include "kubepipe.caMount" $root }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
{{- with include "kubepipe.caVolume" $root }}
volumes:
  {{- . | nindent 2 }}
{{- end }}
{{- end -}}
