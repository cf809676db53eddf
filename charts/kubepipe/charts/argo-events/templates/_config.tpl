{{/*
Configuration of the controller.
Usage: {{ include "events.config" . }}
*/}}
{{- define "events.config" -}}
eventBus:
  # Not used, but the controller refuses to start without an entry.
  nats:
    versions:
      - version: unused
        natsStreamingImage: unused
        metricsExporterImage: unused
  jetstream:
    settings: |
      max_memory_store: 64MB
      max_file_store: 1GB
    streamConfig: |
      maxMsgs: 50000
      maxAge: 168h
      maxBytes: -1
      replicas: 1
      duplicates: 300s
      retention: 0
      discard: 0
    versions:
      - version: {{ .Values.bus.nats.tag | quote }}
        natsImage: {{ include "kubepipe.image" (dict "root" . "image" .Values.bus.nats) }}
        configReloaderImage: {{ include "kubepipe.image" (dict "root" . "image" .Values.bus.reloader) }}
        metricsExporterImage: {{ include "kubepipe.image" (dict "root" . "image" .Values.bus.exporter) }}
        startCommand: /nats-server
{{- end -}}
