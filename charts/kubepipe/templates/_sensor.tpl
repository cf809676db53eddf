{{/*
What the sensor does with a notification, in jq: the version of the object in our own words. MinIO sends one record a
notification. `Key` at the top is bucket and key as they are, the one in the record is URL-encoded. An empty object has no
size, a bucket without versions has no versionId, one whose versioning is suspended has "null".
Usage: {{ include "kubepipe.sensor.transform" . }}
*/}}
{{- define "kubepipe.sensor.transform" -}}
.body as $body
| ($body.Records[0].s3 // {}) as $s3
| ($s3.bucket.name // "") as $bucket
| ($s3.object.versionId // "" | if . == "null" then "" else . end) as $version
| ($s3.object.eTag // "" | ltrimstr("\"") | rtrimstr("\"")) as $etag
| ($s3.object.size // 0 | floor) as $size
| {
    event: ($body.EventName // ""),
    bucket: $bucket,
    key: ($body.Key // "" | ltrimstr($bucket + "/")),
    versionId: $version,
    etag: $etag,
    size: $size,
    identity: (if $version == "" then "\($etag)-\($size)" else $version end)
  }
{{- end -}}

{{/*
Name of the DatasetRun: the same as kubepipe_events.identity computes for whoever else finds the object.
Usage: {{ include "kubepipe.sensor.name" . }}
*/}}
{{- define "kubepipe.sensor.name" -}}
{{ "ds-{{ printf \"%s/%s#%s\" .Input.bucket .Input.key .Input.identity | sha256sum | trunc 40 }}" }}
{{- end -}}

{{/*
Regular expression of file names that a list of shell patterns with * and ? fits.
Usage: {{ include "kubepipe.sensor.ignored" (list "*.tmp") }}
*/}}
{{- define "kubepipe.sensor.ignored" -}}
{{- $parts := list -}}
{{- range . -}}
{{- $parts = append $parts (regexQuoteMeta . | replace "\\*" ".*" | replace "\\?" ".") -}}
{{- end -}}
(?s)^({{ join "|" $parts }})$
{{- end -}}

{{/*
Template of a filter, which says `run` or `ignore` of a key: what kubepipe_events.rules says, but for sizes, which the
controller looks at so that somebody hears of it.
Usage: {{ include "kubepipe.sensor.judge" . }}
*/}}
{{- define "kubepipe.sensor.judge" -}}
{{- $text := "{{ $name := splitList \"/\" .Input | last }}{{ if eq $name \"\" }}ignore" -}}
{{- range include "kubepipe.events.rules" . | fromJsonArray -}}
{{- $text = printf "%s{{ else if hasPrefix %s .Input }}" $text (toJson .prefix) -}}
{{- if .marker -}}
{{- $text = printf "%s{{ if eq $name %s }}run{{ else }}ignore{{ end }}" $text (toJson .marker) -}}
{{- else -}}
{{- $wanted := list -}}
{{- range .suffixes -}}{{- $wanted = append $wanted (printf "(hasSuffix %s .Input)" (toJson .)) -}}{{- end -}}
{{- $wanted = ternary (printf "(or %s)" (join " " $wanted)) "true" (gt (len $wanted) 0) -}}
{{- $free := "true" -}}
{{- if .ignore -}}{{- $free = printf "(not (regexMatch %s $name))" (include "kubepipe.sensor.ignored" .ignore | toJson) -}}{{- end -}}
{{- $text = printf "%s{{ if and %s %s }}run{{ else }}ignore{{ end }}" $text $free $wanted -}}
{{- end -}}
{{- end -}}
{{- $text -}}{{ "{{ else }}ignore{{ end }}" }}
{{- end -}}
