{{- /* Names, labels, and what the declaration says. */ -}}

{{- define "gatehouse.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* NAME of a process -> the name of its objects. */ -}}
{{- define "gatehouse.component" -}}
{{- printf "%s-%s" (include "gatehouse.fullname" .root) (.name | replace "_" "-") -}}
{{- end -}}

{{- define "gatehouse.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name | replace "_" "-" }}
{{- end -}}

{{- define "gatehouse.labels" -}}
{{ include "gatehouse.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- /* Of a pod: without versions, or a new chart would replace every pod, those too that are as they were. */ -}}
{{- define "gatehouse.podLabels" -}}
{{ include "gatehouse.selector" . }}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/part-of: {{ .root.Chart.Name }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "gatehouse.meta" -}}
name: {{ include "gatehouse.component" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "gatehouse.labels" . | nindent 2 }}
{{- end -}}

{{- /* repository, digest and tag of an image: by digest where there is one. */ -}}
{{- define "gatehouse.image" -}}
{{- $image := .image | default dict -}}
{{- $images := .root.Values.images -}}
{{- $name := $image.repository | default .repository -}}
{{- if $images.registry -}}{{- $name = printf "%s/%s" $images.registry $name -}}{{- end -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else if $images.requireDigests -}}
{{- fail (printf "%s has no digest: set %s.image.digest, or images.requireDigests to false" $name .at) -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default $images.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- /* The values of `autoscaling` for one process, its own over the common ones. */ -}}
{{- define "gatehouse.autoscaling" -}}
{{- $found := deepCopy .root.Values.autoscaling -}}
{{- /* Not merge, to which false is nothing. */ -}}
{{- range $key, $value := .values.autoscaling -}}{{- $_ := set $found $key $value -}}{{- end -}}
{{- toYaml $found -}}
{{- end -}}
