{{/*
Metadata of an object that an operator finds by labels of one's own.
Usage: {{- include "kubepipe.labelled" (dict "root" . "name" $name "more" $labels) | nindent 2 }}
*/}}
{{- define "kubepipe.labelled" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- mustMergeOverwrite (include "kubepipe.labels" (dict "root" .root "component" "monitoring") | fromYaml) (deepCopy .more) | toYaml | nindent 2 }}
{{- end -}}

{{/*
Groups of alert rules, as Prometheus itself takes them. All metrics are those of this namespace.
Usage: {{ include "kubepipe.alerts" . }}
*/}}
{{- define "kubepipe.alerts" -}}
{{- $alerts := .Values.events.metrics.alerts -}}
{{- $here := printf "namespace=%q" .Release.Namespace -}}
{{- $sensor := include "kubepipe.events.name" (dict "root" . "part" "datasets") -}}
groups:
  - name: kubepipe-events
    rules:
      - alert: KubePipeControllerDown
        expr: absent(up{ {{- $here }}, job={{ include "kubepipe.fullname" (dict "root" . "suffix" "events") | quote }}} == 1)
        for: 5m
        labels: {severity: critical, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: The controller of DatasetRuns does not answer.
          description: New data sets are kept by the store and the bus, and start no run until it is back.
      - alert: KubePipeObjectsWait
        expr: max(kubepipe_oldest_unprocessed_seconds{ {{- $here -}} }) > {{ $alerts.unprocessedSeconds }}
        for: 5m
        labels: {severity: warning, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: An object has waited longer than {{ $alerts.unprocessedSeconds }} seconds for its run.
          description: Look at the queue with `kubectl get datasetruns`, and at the pipelines API.
      - alert: KubePipeQueueLong
        expr: max(kubepipe_queue_length{ {{- $here -}} }) > {{ $alerts.queueLength }}
        for: 30m
        labels: {severity: warning, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: More than {{ $alerts.queueLength }} runs wait.
          description: Raise events.limits.concurrentRuns where there is room for more runs at once.
      - alert: KubePipePipelinesDown
        expr: max(kubepipe_pipelines_up{ {{- $here -}} }) == 0
        for: 10m
        labels: {severity: critical, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: The pipelines API does not answer.
          description: Runs wait and start by themselves when it is back.
      - alert: KubePipeNotificationsMissed
        expr: sum(increase(kubepipe_sweep_findings_total{ {{- $here -}} }[1h])) > 0
        for: 1m
        labels: {severity: info, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: The sweep found objects that no notification had told of.
          description: Nothing is lost. If it goes on, look at the event source, the bus and the rule on the bucket.
      - alert: KubePipeRunsFail
        expr: sum(increase(kubepipe_attempts_total{ {{- $here -}} }[1h])) > 3
        for: 1m
        labels: {severity: warning, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: Runs were tried again more than three times within an hour.
          description: The column Message of `kubectl get datasetruns` says why.
      - alert: KubePipeNotificationsFail
        expr: sum(increase(kubepipe_notifications_total{ {{- $here }}, result="failed"}[1h])) > 0
        for: 1m
        labels: {severity: warning, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: People could not be told of a run.
          description: Look at the URLs in the notifications secret and at events.notifications.egress.
      {{- if include "kubepipe.events.webhook" . }}
      - alert: KubePipeDeadLetters
        expr: sum(increase(argo_events_action_retries_failed_total{ {{- $here }}, sensor_name={{ $sensor | quote }}}[1h])) > 0
        for: 1m
        labels: {severity: warning, namespace: {{ $.Release.Namespace }}}
        annotations:
          summary: The sensor gave up on a notification.
          description: The next sweep finds the object. `kubectl get events` with the field selector reason=DeadLetter names the DatasetRun.
      {{- end }}
{{- end -}}
