{{/*
The compiled pipeline, as `kubepipe pipeline compile` writes it.
Usage: {{ include "kubepipe.pipeline" . }}
*/}}
{{- define "kubepipe.pipeline" -}}
{{- .Files.Get "files/pipeline/kubepipe.yaml" -}}
{{- end -}}

{{/*
Steps in the order of the graph: which image, and which side of the privacy gate.
Usage: {{ range $step, $kind := include "kubepipe.stepKinds" . | fromYaml }}
*/}}
{{- define "kubepipe.stepKinds" -}}
prepare-data: {image: stages, side: before}
assess-privacy-risk: {image: stages, side: before}
anonymize-data: {image: stages, side: before}
minimize-data: {image: stages, side: before}
verify-privacy: {image: stages, side: before}
fine-tune-model: {image: train, side: behind}
benchmark-model: {image: train, side: behind}
evaluate-and-plot-metrics: {image: train, side: behind}
model-inference: {image: train, side: behind}
publish-model: {image: train, side: behind}
{{- end -}}

{{/*
What the setup hook writes into the compiled pipeline before it registers it. The format is described in files/README.md.
Usage: {{ include "kubepipe.overlay" . }}
*/}}
{{- define "kubepipe.overlay" -}}
{{- $root := . -}}
{{- $store := .Values.global.objectStore -}}
{{- $shared := dict
  "KUBEPIPE_STORE" (printf "s3://%s" .Values.global.buckets.store.name)
  "KUBEPIPE_S3_ENDPOINT" (include "kubepipe.s3.endpoint" .)
  "KUBEPIPE_S3_SECURE" (include "kubepipe.s3.secure" .)
  "KUBEPIPE_S3_REGION" $store.region -}}
{{- $steps := dict -}}
{{- range $step, $kind := include "kubepipe.stepKinds" . | fromYaml -}}
{{- $own := index $root.Values.pipeline.steps $step -}}
{{- $options := mustMergeOverwrite (deepCopy $root.Values.pipeline.stepDefaults) (deepCopy $own) -}}
{{- $env := mustMerge (deepCopy $options.env) (deepCopy $shared) -}}
{{- $secretEnv := list -}}
{{- $secretVolumes := list -}}
{{- $configMapVolumes := list -}}
{{- $before := eq $kind.side "before" -}}
{{- if not $store.workloadIdentity -}}
{{- $secret := include "kubepipe.s3.secret" (dict "root" $root "user" (ternary "source" "artifacts" $before)) -}}
{{- $secretEnv = list
  (dict "name" "KUBEPIPE_S3_ACCESS_KEY" "secret" $secret "key" $store.accessKeyKey)
  (dict "name" "KUBEPIPE_S3_SECRET_KEY" "secret" $secret "key" $store.secretKeyKey) -}}
{{- end -}}
{{- if $before -}}
{{- $_ := set $env "KUBEPIPE_KEYS" "/etc/kubepipe/keys" -}}
{{- $_ := set $env "KUBEPIPE_QUARANTINE" (printf "s3://%s" $root.Values.global.buckets.quarantine.name) -}}
{{- $secretVolumes = list (dict "secret" (include "kubepipe.keysSecret" $root) "mountPath" "/etc/kubepipe/keys") -}}
{{- else -}}
{{- $_ := set $env "KUBEPIPE_PERMIT_KEY" "/etc/kubepipe/permits/permit-public.pem" -}}
{{- $configMapVolumes = list (dict "configMap" (include "kubepipe.permitsConfigMap" $root) "mountPath" "/etc/kubepipe/permits") -}}
{{- end -}}
{{- if eq $step "publish-model" -}}
{{- $_ := set $env "KUBEPIPE_SIGNING_KEY" "/etc/kubepipe/signing/model-signing.pem" -}}
{{- $secretVolumes = list (dict "secret" (include "kubepipe.signingSecret" $root) "mountPath" "/etc/kubepipe/signing") -}}
{{- end -}}
{{- if $root.Values.global.caBundle.configMap -}}
{{- $configMapVolumes = append $configMapVolumes (dict "configMap" $root.Values.global.caBundle.configMap "mountPath" "/etc/kubepipe/ca") -}}
{{- $_ := set $env "SSL_CERT_FILE" (printf "/etc/kubepipe/ca/%s" $root.Values.global.caBundle.key) -}}
{{- end -}}
{{- $_ := set $steps $step (dict
  "image" $kind.image
  "resources" $options.resources
  "accelerator" (dict "count" (int $options.gpu.count) "resource" $options.gpu.resource)
  "nodeSelector" (mustMerge (deepCopy $options.nodeSelector) (deepCopy $root.Values.global.nodeSelector))
  "tolerations" (concat $root.Values.global.tolerations $options.tolerations)
  "sharedMemory" $options.sharedMemory
  "retry" (dict
    "limit" (int $options.retry.count)
    "backoffDuration" (printf "%ds" (int $options.retry.backoffSeconds))
    "backoffFactor" $options.retry.backoffFactor
    "backoffMaxDuration" (printf "%ds" (int $options.retry.maxSeconds)))
  "timeoutSeconds" ($options.timeoutSeconds | int)
  "env" $env
  "secretEnv" $secretEnv
  "secretVolumes" $secretVolumes
  "configMapVolumes" $configMapVolumes) -}}
{{- end -}}
{{- $images := dict -}}
{{- range $name, $image := .Values.images -}}
{{- $_ := set $images $name (dict "image" (include "kubepipe.image" (dict "root" $root "image" $image)) "pullPolicy" $image.pullPolicy) -}}
{{- end -}}
{{- dict
  "images" $images
  "imagePullSecrets" .Values.global.imagePullSecrets
  "parameters" (dict "settings" (.Values.pipeline.settings | toJson))
  "steps" $steps | toPrettyJson -}}
{{- end -}}
