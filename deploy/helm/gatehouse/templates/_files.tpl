{{- /* A process that keeps files: a claim of yours that several nodes can mount, or an object store. */ -}}
{{- define "gatehouse.keptFiles" -}}
{{- $values := .values -}}
{{- with .facts.files -}}
{{- $address := index ($values.env | default dict) .variable | default (index $.root.Values.settings .variable | default "" | toString) -}}
{{- if hasPrefix "file:" $address -}}
{{- $claim := required (printf "processes.%s keeps files in %s: name a claim (ReadWriteMany) as processes.%s.existingClaim, or an object store as settings.%s: s3://bucket/prefix" $.name .path $.name .variable) $values.existingClaim -}}
mounts: [{ name: files, mountPath: {{ .path }} }]
volumes: [{ name: files, persistentVolumeClaim: { claimName: {{ $claim }} } }]
{{- else -}}
outbound: true
{{- end -}}
{{- end -}}
{{- end -}}
