{{/*
Service of the event source, and the path that takes the store's notifications.
Usage: {{ include "kubepipe.webhook.url" . }}
*/}}
{{- define "kubepipe.webhook.service" -}}
{{- include "kubepipe.fullname" (dict "root" . "suffix" "events-source") -}}
{{- end -}}

{{- define "kubepipe.webhook.url" -}}
{{- printf "http://%s:12000/objects" (include "kubepipe.host" (dict "root" . "service" (include "kubepipe.webhook.service" .))) -}}
{{- end -}}

{{/*
Where hints are posted: the controller of DatasetRuns.
Usage: {{ include "kubepipe.hint.url" . }}
*/}}
{{- define "kubepipe.hint.url" -}}
{{- printf "http://%s:12001/objects" (include "kubepipe.host" (dict "root" . "service" (include "kubepipe.fullname" (dict "root" . "suffix" "events")))) -}}
{{- end -}}

{{/*
Secret with the token that the store shows to it.
Usage: {{ include "kubepipe.webhook.secret" . }}
*/}}
{{- define "kubepipe.webhook.secret" -}}
{{- .Values.global.objectStore.webhook.existingSecret | default (include "kubepipe.fullname" (dict "root" . "suffix" "webhook")) -}}
{{- end -}}
