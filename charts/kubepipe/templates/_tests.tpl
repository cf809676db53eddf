{{/*
A test pod that runs one of files/checks.
Usage: {{ include "kubepipe.testPod" (dict "root" . "check" "object_store" "env" $env "args" list) }}
*/}}
{{- define "kubepipe.testPod" -}}
{{- $root := .root -}}
{{- $test := include "kubepipe.fullname" (dict "root" $root "suffix" "test") -}}
{{- $mounts := list
  (dict "name" "checks" "mountPath" "/etc/kubepipe/checks" "readOnly" true)
  (dict "name" "setup" "mountPath" "/etc/kubepipe/setup.json" "subPath" "setup.json" "readOnly" true) -}}
{{- $volumes := list
  (dict "name" "checks" "configMap" (dict "name" $test))
  (dict "name" "setup" "configMap" (dict "name" (include "kubepipe.fullname" (dict "root" $root "suffix" "setup")))) -}}
{{- $args := concat (list (printf "/etc/kubepipe/checks/%s.py" .check)) (.args | default list) -}}
{{- $pod := include "kubepipe.hookPod" (dict "root" $root "component" "test" "account" $test "token" false "command" (list "python3") "args" $args "env" .env "mounts" $mounts "volumes" $volumes) | fromYaml -}}
{{- $name := include "kubepipe.fullname" (dict "root" $root "suffix" (printf "test-%s" (.check | replace "_" "-"))) -}}
{{- $annotations := mustMerge (include "kubepipe.hook" (dict "on" "test" "weight" 0) | fromYaml) ($pod.metadata.annotations | default dict) -}}
apiVersion: v1
kind: Pod
metadata:
  {{- include "kubepipe.metadata" (dict "root" $root "component" "test" "name" $name "annotations" $annotations) | nindent 2 }}
spec:
  {{- toYaml $pod.spec | nindent 2 }}
{{- end -}}
