{{/*
Everything that is wrong with the values, as a list of sentences: what, why, and the key to set.
Usage: {{ include "kubepipe.problems" . | fromYamlArray }}
*/}}
{{- define "kubepipe.problems" -}}
{{- $v := .Values -}}
{{- $store := $v.global.objectStore -}}
{{- $db := $v.global.database -}}
{{- $kfp := $v.global.kubeflowPipelines -}}
{{- $problems := list -}}

{{- /* One object store, no more and no less. */ -}}
{{- if and (not $v.minio.enabled) (not $store.endpoint) -}}
{{- $problems = append $problems "There is no object store. Set global.objectStore.endpoint to an existing one, or minio.enabled=true." -}}
{{- end -}}
{{- if and $v.minio.enabled $store.endpoint -}}
{{- $problems = append $problems "There are two object stores: the bundled MinIO and global.objectStore.endpoint. Set minio.enabled=false to use the existing one." -}}
{{- end -}}
{{- if contains "://" $store.endpoint -}}
{{- $problems = append $problems (printf "global.objectStore.endpoint is %q, but host or host:port is wanted. Leave the scheme out and set global.objectStore.secure." $store.endpoint) -}}
{{- end -}}
{{- if and $store.endpoint (not $store.existingSecret) (not $store.workloadIdentity) -}}
{{- $problems = append $problems "An existing object store needs credentials. Set global.objectStore.existingSecret to a Secret with them, or global.objectStore.workloadIdentity=true." -}}
{{- end -}}
{{- if and $v.minio.enabled $store.workloadIdentity -}}
{{- $problems = append $problems "The bundled MinIO knows no workload identity. Set global.objectStore.workloadIdentity=false, or use an existing store." -}}
{{- end -}}
{{- if and $v.minio.enabled $store.separateUsers (not $v.setup.enabled) -}}
{{- $problems = append $problems "The setup hook makes the store's users, but it is off, so steps would get credentials that nobody knows. Set setup.enabled=true or global.objectStore.separateUsers=false." -}}
{{- end -}}
{{- if and $v.minio.enabled (has (int $v.minio.replicas) (list 2 3)) -}}
{{- $problems = append $problems (printf "MinIO cannot run on %d servers: erasure coding starts at 4. Set minio.replicas to 1 or to 4 or more." (int $v.minio.replicas)) -}}
{{- end -}}

{{- /* One database, if pipelines are ours. */ -}}
{{- if $v.kubeflowPipelines.enabled -}}
{{- if and (not $v.mariadb.enabled) (not $db.host) -}}
{{- $problems = append $problems "Kubeflow Pipelines has no database. Set global.database.host to an existing MySQL, or mariadb.enabled=true." -}}
{{- end -}}
{{- if and $v.mariadb.enabled $db.host -}}
{{- $problems = append $problems "There are two databases: the bundled MariaDB and global.database.host. Set mariadb.enabled=false to use the existing one." -}}
{{- end -}}
{{- if and $db.host (not $db.existingSecret) -}}
{{- $problems = append $problems "An existing database needs a password. Set global.database.existingSecret to a Secret with it." -}}
{{- end -}}
{{- if eq $db.pipelines $db.metadata -}}
{{- $problems = append $problems "The pipelines API and ML Metadata would share one database, whose tables collide. Set global.database.metadata to another name." -}}
{{- end -}}
{{- end -}}

{{- /* One pipelines API. */ -}}
{{- if and $v.kubeflowPipelines.enabled $kfp.endpoint -}}
{{- $problems = append $problems "There are two pipelines APIs: the bundled one and global.kubeflowPipelines.endpoint. Set kubeflowPipelines.enabled=false to use the existing one." -}}
{{- end -}}
{{- if and (not $v.kubeflowPipelines.enabled) (not $kfp.endpoint) (or $v.setup.enabled $v.tests.enabled) -}}
{{- $problems = append $problems "There is no pipelines API. Set global.kubeflowPipelines.endpoint to the URL of an existing one, or kubeflowPipelines.enabled=true." -}}
{{- end -}}
{{- if and $kfp.endpoint (not (regexMatch "^https?://[^/ ]+/?$" $kfp.endpoint)) -}}
{{- $problems = append $problems (printf "global.kubeflowPipelines.endpoint is %q, but a URL without a path is wanted, for example http://ml-pipeline.kubeflow.svc.cluster.local:8888." $kfp.endpoint) -}}
{{- end -}}
{{- if $v.kubeflowPipelines.enabled -}}
{{- range $key := list "driverImage" "launcherImage" -}}
{{- $image := index $v.kubeflowPipelines.steps $key -}}
{{- if and (eq $image.tag "latest") (not $image.digest) -}}
{{- $problems = append $problems (printf "kubeflowPipelines.steps.%s has the tag latest, so every step would pull it anew. Set a fixed tag, or kubeflowPipelines.steps.%s.digest." $key $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Kinds of engines that are left out. */ -}}
{{- if and $v.kubeflowPipelines.enabled (not $v.argoWorkflows.enabled) $v.preflight.crds (not (.Capabilities.APIVersions.Has "argoproj.io/v1alpha1/Workflow")) -}}
{{- $problems = append $problems "The cluster does not know the kind Workflow, and argoWorkflows.enabled is false. Install Argo Workflows, set argoWorkflows.enabled=true, or, when rendering without a cluster, set preflight.crds=false." -}}
{{- end -}}

{{- range $group, $wanted := dict "argoproj.io" "v1alpha1/Workflow" "kubeflow.org" "v1beta1/ScheduledWorkflow" -}}
{{- $kind := splitList "/" $wanted | last -}}
{{- $served := list -}}
{{- range $each := $.Capabilities.APIVersions -}}
{{- if and (hasPrefix (printf "%s/" $group) $each) (hasSuffix (printf "/%s" $kind) $each) -}}{{- $served = append $served $each -}}{{- end -}}
{{- end -}}
{{- if and $served (not (has (printf "%s/%s" $group $wanted) $served)) $v.preflight.crds -}}
{{- $problems = append $problems (printf "The cluster has the kind %s as %s only, from another installation, and %s/%s is needed. Bring that installation up to date, or set preflight.crds=false once its definition serves this version." $kind (join ", " $served) $group $wanted) -}}
{{- end -}}
{{- end -}}

{{- /* Events. */ -}}
{{- if include "kubepipe.events.on" . -}}
{{- if include "kubepipe.events.webhook" . -}}
{{- if and (not $v.argoEvents.enabled) $v.preflight.crds (not (.Capabilities.APIVersions.Has "argoproj.io/v1alpha1/Sensor")) -}}
{{- $problems = append $problems "The cluster does not know the kind Sensor, and argoEvents.enabled is false. Install Argo Events, set argoEvents.enabled=true, set events.mode=poll, or, when rendering without a cluster, set preflight.crds=false." -}}
{{- end -}}
{{- end -}}
{{- if and (not $v.kubeflowPipelines.enabled) (not $kfp.endpoint) (not (or $v.setup.enabled $v.tests.enabled)) -}}
{{- $problems = append $problems "Events need a pipelines API. Set global.kubeflowPipelines.endpoint to the URL of an existing one, kubeflowPipelines.enabled=true, or events.enabled=false." -}}
{{- end -}}
{{- if and (include "kubepipe.events.hintArn" .) (eq (int $v.events.port) 12001) -}}
{{- $problems = append $problems "events.port is 12001, where the store posts its hints. Set another port, or events.hint=false." -}}
{{- end -}}
{{- range $number, $rule := include "kubepipe.events.rules" . | fromJsonArray -}}
{{- range $pattern := $rule.ignore -}}
{{- if regexMatch "[][]" $pattern -}}
{{- $problems = append $problems (printf "events.rules[%d].ignore has the pattern %q, but only * and ? are known. Spell the file names out." $number $pattern) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range $v.events.schedules -}}
{{- if has .name $names -}}
{{- $problems = append $problems (printf "events.schedules has the name %q twice. Give each schedule a name of its own." .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}

{{- /* The pipeline. */ -}}
{{- if and $v.pipeline.enabled (not $v.pipeline.configMap) (not (include "kubepipe.pipeline" .)) -}}
{{- $problems = append $problems "The chart lacks files/pipeline/kubepipe.yaml. Write it with `kubepipe pipeline compile`, name another graph with pipeline.configMap, or set pipeline.enabled=false." -}}
{{- end -}}
{{- if $v.pipeline.enabled -}}
{{- $tune := index $v.pipeline.steps "fine-tune-model" -}}
{{- $gpus := dig "gpu" "count" (int $v.pipeline.stepDefaults.gpu.count) $tune | int -}}
{{- if and (eq (dig "training" "device" "auto" $v.pipeline.settings) "cuda") (eq $gpus 0) -}}
{{- $problems = append $problems "pipeline.settings.training.device is cuda, but the step gets no GPU. Set pipeline.steps.fine-tune-model.gpu.count=1." -}}
{{- end -}}
{{- end -}}
{{- if and $v.keys.publicKey (not (contains "BEGIN PUBLIC KEY" $v.keys.publicKey)) -}}
{{- $problems = append $problems "keys.publicKey is no public key in PEM. Write it with `openssl pkey -in permit-signing.pem -pubout`." -}}
{{- end -}}
{{- if and $v.signing.publicKey (not (contains "BEGIN PUBLIC KEY" $v.signing.publicKey)) -}}
{{- $problems = append $problems "signing.publicKey is no public key in PEM. Write it with `openssl pkey -in model-signing.pem -pubout`." -}}
{{- end -}}
{{- range $number, $key := $v.signing.trustedKeys -}}
{{- if not (contains "BEGIN PUBLIC KEY" $key) -}}
{{- $problems = append $problems (printf "signing.trustedKeys[%d] is no public key in PEM. It is the model-public.pem from before the rotation." $number) -}}
{{- end -}}
{{- end -}}
{{- if and $v.serving.enabled (not $v.pipeline.enabled) -}}
{{- $problems = append $problems "serving.enabled needs the pipeline, which publishes what is served. Set pipeline.enabled=true." -}}
{{- end -}}

{{- /* Tools that render without a cluster. */ -}}
{{- if $v.global.gitops -}}
{{- $missing := list -}}
{{- if and $v.minio.enabled (not $store.existingSecret) -}}{{- $missing = append $missing "global.objectStore.existingSecret" -}}{{- end -}}
{{- if and $v.minio.enabled $store.separateUsers (not $store.artifacts.existingSecret) -}}{{- $missing = append $missing "global.objectStore.artifacts.existingSecret" -}}{{- end -}}
{{- if and $v.minio.enabled $store.separateUsers (not $store.source.existingSecret) -}}{{- $missing = append $missing "global.objectStore.source.existingSecret" -}}{{- end -}}
{{- if and (or $v.minio.enabled (include "kubepipe.events.webhook" .)) (not $store.webhook.existingSecret) -}}{{- $missing = append $missing "global.objectStore.webhook.existingSecret" -}}{{- end -}}
{{- if and $v.mariadb.enabled (not $db.existingSecret) -}}{{- $missing = append $missing "global.database.existingSecret" -}}{{- end -}}
{{- if and $v.pipeline.enabled (not $v.keys.existingSecret) -}}{{- $missing = append $missing "keys.existingSecret" -}}{{- end -}}
{{- if and $v.pipeline.enabled (not $v.signing.existingSecret) -}}{{- $missing = append $missing "signing.existingSecret" -}}{{- end -}}
{{- if and $v.serving.enabled (not $v.serving.tokenSecret) -}}{{- $missing = append $missing "serving.tokenSecret" -}}{{- end -}}
{{- if and $v.serving.enabled $v.minio.enabled $store.separateUsers (not $store.serving.existingSecret) -}}{{- $missing = append $missing "global.objectStore.serving.existingSecret" -}}{{- end -}}
{{- if $missing -}}
{{- $problems = append $problems (printf "global.gitops is true, so no secret is generated. Set %s." (join ", " $missing)) -}}
{{- end -}}
{{- end -}}

{{- /* Upgrades that would leave data behind. */ -}}
{{- if and .Release.IsUpgrade (not $v.upgrade.allowStoreRemoval) -}}
{{- range $suffix, $on := dict "minio" $v.minio.enabled "mariadb" $v.mariadb.enabled -}}
{{- $name := include "kubepipe.fullname" (dict "root" $ "suffix" $suffix "limit" 52) -}}
{{- if and (not $on) (lookup "apps/v1" "StatefulSet" $.Release.Namespace $name) -}}
{{- $problems = append $problems (printf "%s runs and holds data, and %s.enabled=false would stop it. Copy the data first, then set upgrade.allowStoreRemoval=true." $name $suffix) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $problems | toYaml -}}
{{- end -}}
