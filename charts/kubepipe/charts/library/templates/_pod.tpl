{{/*
Scheduling and pull secrets of a pod: what is set for all pods, and the workload's own.
Usage: {{- include "kubepipe.scheduling" (dict "root" . "options" .Values.apiServer "component" "kfp-api") | nindent 6 }}
*/}}
{{- define "kubepipe.scheduling" -}}
{{- $global := .root.Values.global -}}
{{- with $global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with mustMergeOverwrite (deepCopy $global.nodeSelector) .options.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $global.tolerations .options.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .options.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .options.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $selector := dict "matchLabels" (fromYaml (include "kubepipe.selector" $)) }}
  {{- range . }}
  - {{ toYaml (mustMerge (deepCopy .) (dict "labelSelector" $selector)) | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- with .options.priorityClassName | default $global.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/*
Environment of a container as a list without repeated names (Helm 4 applies server-side and refuses those): the chart's own,
the proxy and certificate settings, global.extraEnv, the workload's extraEnv; the last one of a name wins.
Usage: {{- include "kubepipe.env" (dict "root" . "options" .Values.apiServer "own" (list (dict "name" "A" "value" "b"))) | nindent 12 }}
*/}}
{{- define "kubepipe.env" -}}
{{- $global := .root.Values.global -}}
{{- $all := .own | default list -}}
{{- $proxy := $global.proxy -}}
{{- if or $proxy.http $proxy.https -}}
{{- /* Programs reach the Kubernetes API by its address, which only the kubelet knows: it fills it in. */ -}}
{{- $local := printf "localhost,127.0.0.1,$(KUBERNETES_SERVICE_HOST),.svc,.%s" $global.clusterDomain -}}
{{- $none := ternary (printf "%s,%s" $local $proxy.noProxy) $local (ne $proxy.noProxy "") -}}
{{- with $proxy.http -}}{{- $all = append $all (dict "name" "HTTP_PROXY" "value" .) -}}{{- end -}}
{{- with $proxy.https -}}{{- $all = append $all (dict "name" "HTTPS_PROXY" "value" .) -}}{{- end -}}
{{- $all = append $all (dict "name" "NO_PROXY" "value" $none) -}}
{{- end -}}
{{- if $global.caBundle.configMap -}}
{{- $file := printf "/etc/kubepipe/ca/%s" $global.caBundle.key -}}
{{- range list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" -}}
{{- $all = append $all (dict "name" . "value" $file) -}}
{{- end -}}
{{- end -}}
{{- $all = concat $all $global.extraEnv .options.extraEnv -}}
{{- $order := list -}}
{{- $last := dict -}}
{{- range $all -}}
{{- if not (hasKey $last .name) -}}{{- $order = append $order .name -}}{{- end -}}
{{- $_ := set $last .name . -}}
{{- end -}}
{{- if $order -}}
env:
{{- range $order }}
  - {{ toYaml (get $last .) | nindent 4 | trim }}
{{- end }}
{{- end -}}
{{- end -}}

{{/*
Mounts, and volumes, that every container and pod has: further certificate authorities.
Usage: {{- include "kubepipe.caMount" . | nindent 12 }} and {{- include "kubepipe.caVolume" . | nindent 8 }}
*/}}
{{- define "kubepipe.caMount" -}}
{{- if .Values.global.caBundle.configMap -}}
- name: ca
  mountPath: /etc/kubepipe/ca
  readOnly: true
{{- end -}}
{{- end -}}

{{- define "kubepipe.caVolume" -}}
{{- with .Values.global.caBundle.configMap -}}
- name: ca
  configMap:
    name: {{ . }}
{{- end -}}
{{- end -}}

{{/*
Requests and limits of a container.
Usage: {{- include "kubepipe.resources" .Values.apiServer.resources | nindent 10 }}
*/}}
{{- define "kubepipe.resources" -}}
resources:
  {{- toYaml . | nindent 2 }}
{{- end -}}

{{/*
A whole PodDisruptionBudget, or nothing.
Usage: {{ include "kubepipe.pdb" (dict "root" . "component" "minio" "name" $name "budget" .Values.pdb) }}
*/}}
{{- define "kubepipe.pdb" -}}
{{- if .budget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "kubepipe.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ .budget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "kubepipe.selector" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{/*
A volume claim of a StatefulSet.
Usage: {{- include "kubepipe.claim" (dict "root" . "storage" .Values.persistence) | nindent 4 }}
*/}}
{{- define "kubepipe.claim" -}}
- metadata:
    name: data
  spec:
    accessModes:
      {{- toYaml .storage.accessModes | nindent 6 }}
    {{- with .storage.storageClass | default .root.Values.global.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests:
        storage: {{ .storage.size }}
{{- end -}}
