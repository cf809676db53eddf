{{/*
Annotations of a hook object. A hook that succeeded is removed; one that failed stays for its logs until the next try.
Usage: {{ include "kubepipe.hook" (dict "on" "pre-upgrade" "weight" -5) | fromYaml }}
*/}}
{{- define "kubepipe.hook" -}}
helm.sh/hook: {{ .on }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/*
Pod template of a hook: our own image, nothing is fetched, `args` go to the kubepipe command.
Usage: {{- include "kubepipe.hookPod" (dict "root" . "component" "setup" "account" $name "args" (list "cluster" "setup") "env" $env "mounts" $mounts "volumes" $volumes) | nindent 4 }}
*/}}
{{- define "kubepipe.hookPod" -}}
{{- $root := .root -}}
{{- $options := $root.Values.hooks -}}
metadata:
  {{- include "kubepipe.podMetadata" (dict "root" $root "component" .component "options" $options) | nindent 2 }}
spec:
  restartPolicy: Never
  serviceAccountName: {{ .account }}
  automountServiceAccountToken: {{ .token }}
  securityContext:
    {{- include "kubepipe.podSecurity" (dict "root" $root "user" 65532 "files" true) | nindent 4 }}
  {{- include "kubepipe.scheduling" (dict "root" $root "options" $options "component" .component) | nindent 2 }}
  containers:
    - name: {{ .component }}
      image: {{ include "kubepipe.image" (dict "root" $root "image" $root.Values.images.stages) }}
      imagePullPolicy: {{ $root.Values.images.stages.pullPolicy }}
      command: {{ .command | default (list "kubepipe") | toJson }}
      args: {{ .args | toJson }}
      {{- include "kubepipe.env" (dict "root" $root "options" $options "own" .env) | nindent 6 }}
      securityContext:
        {{- include "kubepipe.containerSecurity" $root | nindent 8 }}
      {{- include "kubepipe.resources" $options.resources | nindent 6 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- range .mounts }}
        - {{ toYaml . | nindent 10 | trim }}
        {{- end }}
        {{- include "kubepipe.caMount" $root | nindent 8 }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- range .volumes }}
    - {{ toYaml . | nindent 6 | trim }}
    {{- end }}
    {{- include "kubepipe.caVolume" $root | nindent 4 }}
{{- end -}}

{{/*
Days by prefix for each bucket, from global.retention: a class has a prefix of its own, but for what steps hand on.
Usage: {{ include "kubepipe.retention" . | fromJson }}
*/}}
{{- define "kubepipe.retention" -}}
{{- $keep := .Values.global.retention -}}
{{- $between := ternary 0 (max $keep.intermediate $keep.protected) (or (eq (int $keep.intermediate) 0) (eq (int $keep.protected) 0)) -}}
{{- dict
  "incoming" (dict "" $keep.raw)
  "quarantine" (dict "approvals/" $keep.quarantine "mappings/" $keep.mappings)
  "artifacts" (dict "v2/artifacts/" $between)
  "store" (dict "keys/" $keep.quarantine "permits/" $keep.permits "runs/" $keep.records "models/" $keep.models) | toJson -}}
{{- end -}}

{{/*
What setup, cleanup and tests are told. The format is described in files/README.md.
Usage: {{ include "kubepipe.setup" . }}
*/}}
{{- define "kubepipe.setup" -}}
{{- $buckets := .Values.global.buckets -}}
{{- $list := list -}}
{{- $kept := include "kubepipe.retention" . | fromJson -}}
{{- range list "incoming" "quarantine" "artifacts" "store" -}}
{{- $bucket := index $buckets . -}}
{{- $days := dict -}}
{{- range $prefix, $number := index $kept . -}}{{- if $number -}}{{- $_ := set $days $prefix (int $number) -}}{{- end -}}{{- end -}}
{{- range $prefix, $number := $bucket.expireDays -}}{{- $_ := set $days $prefix (int $number) -}}{{- end -}}
{{- $list = append $list (dict "name" $bucket.name "versioning" $bucket.versioning "expireDays" $days) -}}
{{- end -}}
{{- $document := dict
  "release" .Release.Name
  "namespace" .Release.Namespace
  "timeoutSeconds" (.Values.hooks.timeoutSeconds | int)
  "endsRuns" .Values.kubeflowPipelines.enabled
  "kfp" (dict "endpoint" (include "kubepipe.kfp.endpoint" .))
  "s3" (dict "endpoint" (include "kubepipe.s3.endpoint" .) "secure" (eq (include "kubepipe.s3.secure" .) "true") "region" .Values.global.objectStore.region)
  "buckets" $list -}}
{{- $definitions := dict -}}
{{- range $file, $text := include "kubepipe.crds" . | fromYaml -}}
{{- $each := fromYaml $text -}}
{{- $version := (index $each.spec.versions 0).name -}}
{{- $_ := set $definitions $each.metadata.name (dict "version" $version "release" (dig "labels" "app.kubernetes.io/version" "" $each.metadata)) -}}
{{- end -}}
{{- $_ := set $document "definitions" $definitions -}}
{{- $store := .Values.global.objectStore -}}
{{- if not $store.workloadIdentity -}}
{{- $reach := dict "artifacts" (list $buckets.artifacts.name $buckets.store.name) -}}
{{- $_ := set $reach "source" (concat (list $buckets.incoming.name $buckets.quarantine.name) $reach.artifacts) -}}
{{- $_ := set $reach "admin" $reach.source -}}
{{- $_ := set $reach "serving" (list $buckets.store.name) -}}
{{- $accounts := list -}}
{{- range $user := concat (list "admin" "artifacts" "source") (ternary (list "serving") list .Values.serving.enabled) -}}
{{- $secret := include "kubepipe.s3.secret" (dict "root" $ "user" $user) -}}
{{- $accounts = append $accounts (dict "name" $user "secret" $secret "accessKeyKey" $store.accessKeyKey "secretKeyKey" $store.secretKeyKey "buckets" (index $reach $user)) -}}
{{- end -}}
{{- $_ := set $document "accounts" $accounts -}}
{{- end -}}
{{- if include "kubepipe.makesUsers" . -}}
{{- $shared := dict $buckets.artifacts.name "read-write" $buckets.store.name "read-write" -}}
{{- $source := mustMerge (dict $buckets.incoming.name "read" $buckets.quarantine.name "erase" $buckets.store.name "erase") $shared -}}
{{- $users := list
  (dict "folder" "/etc/kubepipe/users/artifacts" "policy" "kubepipe-artifacts" "grants" $shared)
  (dict "folder" "/etc/kubepipe/users/source" "policy" "kubepipe-source" "grants" $source) -}}
{{- if .Values.serving.enabled -}}
{{- $users = append $users (dict "folder" "/etc/kubepipe/users/serving" "policy" "kubepipe-serving" "grants" (dict $buckets.store.name "read")) -}}
{{- end -}}
{{- $_ := set $document "users" $users -}}
{{- end -}}
{{- /* The bundled store is told to stop, too; an existing one that is not asked to report is left alone. */ -}}
{{- $webhook := include "kubepipe.events.webhook" . -}}
{{- if or $webhook .Values.minio.enabled -}}
{{- $arn := ternary "arn:minio:sqs::KUBEPIPE:webhook" .Values.events.webhook.arn .Values.minio.enabled -}}
{{- $rules := list (dict "bucket" $buckets.incoming.name "id" (printf "kubepipe-%s-%s" .Release.Namespace .Release.Name) "arn" $arn "enabled" (eq $webhook "true")) -}}
{{- $hint := ternary "arn:minio:sqs::KUBEPIPEHINT:webhook" .Values.events.webhook.hintArn .Values.minio.enabled -}}
{{- if $hint -}}
{{- $rules = append $rules (dict "bucket" $buckets.incoming.name "id" (printf "kubepipe-hint-%s-%s" .Release.Namespace .Release.Name) "arn" $hint "enabled" (ne (include "kubepipe.events.hintArn" .) "")) -}}
{{- end -}}
{{- $_ := set $document "notifications" $rules -}}
{{- end -}}
{{- if include "kubepipe.events.on" . -}}
{{- $_ := set $document "controller" (include "kubepipe.fullname" (dict "root" . "suffix" "events")) -}}
{{- end -}}
{{- if $webhook -}}
{{- $_ := set $document "events" (dict
  "endpoint" (include "kubepipe.webhook.url" .)
  "sensors" (list (include "kubepipe.events.name" (dict "root" . "part" "datasets")))
  "eventsources" (list (include "kubepipe.events.name" (dict "root" . "part" "objects")))
  "eventbus" (list (include "kubepipe.events.name" (dict "root" . "part" "bus")))) -}}
{{- end -}}
{{- if .Values.pipeline.enabled -}}
{{- $_ := set $document "pipeline" (dict "name" .Values.pipeline.name "file" "/etc/kubepipe/pipeline/kubepipe.yaml" "overlay" "/etc/kubepipe/overlay/overlay.json" "keepVersions" (int .Values.pipeline.keepVersions)) -}}
{{- $_ := set $document "privacy" (dict "secret" (include "kubepipe.keysSecret" .) "publicKeyConfigMap" (include "kubepipe.permitsConfigMap" .) "publicKeyName" "permit-public.pem") -}}
{{- $_ := set $document "models" (dict "secret" (include "kubepipe.signingSecret" .) "publicKeyConfigMap" (include "kubepipe.permitsConfigMap" .) "publicKeyName" "model-public.pem") -}}
{{- if not .Values.keys.publicKey -}}
{{- $_ := set $document "keys" (dict "privateKeyFile" "/etc/kubepipe/keys/permit-signing.pem" "publicKeyConfigMap" (include "kubepipe.permitsConfigMap" .) "publicKeyName" "permit-public.pem" "namespace" .Release.Namespace) -}}
{{- end -}}
{{- if not .Values.signing.publicKey -}}
{{- $_ := set $document "signing" (dict "privateKeyFile" "/etc/kubepipe/signing/model-signing.pem" "publicKeyConfigMap" (include "kubepipe.permitsConfigMap" .) "publicKeyName" "model-public.pem" "namespace" .Release.Namespace) -}}
{{- end -}}
{{- end -}}
{{- $document | toPrettyJson -}}
{{- end -}}

{{/*
Whether the setup hook makes the users of the bundled store: "true" or empty.
Usage: {{ if include "kubepipe.makesUsers" . }}
*/}}
{{- define "kubepipe.makesUsers" -}}
{{- $store := .Values.global.objectStore -}}
{{- if and .Values.minio.enabled $store.separateUsers (not $store.workloadIdentity) -}}true{{- end -}}
{{- end -}}

{{/*
Whether a hook cleans up before the release goes: "true" or empty. What Argo Events made has to go while its controller lives.
Usage: {{ if include "kubepipe.cleans" . }}
*/}}
{{- define "kubepipe.cleans" -}}
{{- if and .Values.cleanup.enabled (or .Values.kubeflowPipelines.enabled (include "kubepipe.events.webhook" .)) -}}true{{- end -}}
{{- end -}}

{{/*
Environment with the store's address and one user's credentials, as a YAML list.
Usage: {{ include "kubepipe.storeEnv" (dict "root" . "user" "admin") | fromYamlArray }}
*/}}
{{- define "kubepipe.storeEnv" -}}
- name: KUBEPIPE_S3_ENDPOINT
  value: {{ include "kubepipe.s3.endpoint" .root }}
- name: KUBEPIPE_S3_SECURE
  value: {{ include "kubepipe.s3.secure" .root | quote }}
- name: KUBEPIPE_S3_REGION
  value: {{ .root.Values.global.objectStore.region }}
{{- if not .root.Values.global.objectStore.workloadIdentity }}
- {{ include "kubepipe.s3.env" (dict "root" .root "user" .user "name" "KUBEPIPE_S3_ACCESS_KEY" "key" "accessKeyKey") | nindent 2 | trim }}
- {{ include "kubepipe.s3.env" (dict "root" .root "user" .user "name" "KUBEPIPE_S3_SECRET_KEY" "key" "secretKeyKey") | nindent 2 | trim }}
{{- end }}
{{- end -}}
