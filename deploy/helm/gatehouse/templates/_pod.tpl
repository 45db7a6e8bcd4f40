{{- /* What all pods and containers of ours have in common. */ -}}

{{- define "gatehouse.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
# The group of mounted secrets, and of the directory that plugin servers and Kong share.
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "gatehouse.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- /* Where a pod may run, and how its replicas are spread. */ -}}
{{- define "gatehouse.placement" -}}
serviceAccountName: {{ include "gatehouse.fullname" .root }}
{{ include "gatehouse.nodes" . }}
topologySpreadConstraints:
  {{- range $key, $when := dict "topology.kubernetes.io/zone" .root.Values.topologySpread.zones "kubernetes.io/hostname" .root.Values.topologySpread.hosts }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ $when }}
    labelSelector:
      matchLabels:
        {{- include "gatehouse.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end -}}

{{- /* The nodes that a pod may be on, and how it comes by its image there. */ -}}
{{- define "gatehouse.nodes" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "gatehouse.resources" -}}
requests: { cpu: {{ .cpu }}, memory: {{ .memory }} }
limits: { memory: {{ .memory }} }
{{- end -}}

{{- /* Which Secret a process' files come from. */ -}}
{{- define "gatehouse.secretName" -}}
{{- .values.existingSecret | default .root.Values.existingSecret | required "existingSecret is not set: kubectl create secret generic gatehouse --from-file=secrets/, then existingSecret: gatehouse" -}}
{{- end -}}

{{- /* A value as the text of a variable. To Helm a number of a value file is a float, which it would write as 5e+06. */ -}}
{{- define "gatehouse.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}{{- int64 . -}}{{- else -}}{{- toString . -}}{{- end -}}
{{- end -}}

{{- /* Environment of one of our processes: what the declaration says of it, and `env` in its place and beside it. A variable is there once. */ -}}
{{- define "gatehouse.environment" -}}
{{- include "gatehouse.environmentWith" (dict "env" .values.env "declared" (include "gatehouse.declaredEnvironment" .)) -}}
{{- end -}}

{{- define "gatehouse.environmentWith" -}}
{{- $set := .env | default dict -}}
{{- range .declared | fromYamlArray }}
{{- if not (hasKey $set .name) }}
- name: {{ .name }}
  value: {{ .value | quote }}
{{- end }}
{{- end }}
{{- range $variable, $value := $set }}
- name: {{ $variable }}
  value: {{ include "gatehouse.text" $value | quote }}
{{- end }}
{{- end -}}

{{- /* Settings of these names, but those that somebody's values take away (null): of them a process has a default of its own. */ -}}
{{- define "gatehouse.settings" -}}
{{- range .names }}
{{- $value := index $.root.Values.settings . }}
{{- if not (kindIs "invalid" $value) }}
- name: {{ . }}
  value: {{ include "gatehouse.text" $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "gatehouse.declaredEnvironment" -}}
{{- $root := .root -}}{{- $facts := .facts -}}{{- $values := .values -}}{{- $name := .name -}}
- { name: APP_ENV, value: production }
{{- include "gatehouse.settings" (dict "root" $root "names" $facts.settings) }}
{{- range $variable, $callee := $facts.addresses }}
- name: {{ $variable }}
  value: {{ include "gatehouse.address" (dict "root" $root "callee" $callee) }}
{{- end }}
{{- if $facts.keys }}
- name: AUTH_JWKS_URL
  value: {{ include "gatehouse.address" (dict "root" $root "callee" "auth") }}/.well-known/jwks.json
{{- end }}
{{- if $facts.publicOrigin }}
- name: PUBLIC_ORIGIN
  value: {{ required "publicOrigin is not set: the https origin that browsers see, such as https://shop.example" $root.Values.publicOrigin | quote }}
{{- end }}
{{- with $facts.believes }}
- name: {{ .variable }}
  value: {{ concat (ternary (list) $root.Values.trustedProxies.pods .ingressAlone) $root.Values.trustedProxies.ingress | join "," | quote }}
{{- end }}
{{- with $facts.database }}
- name: {{ .variable }}
  value: {{ include "gatehouse.databaseUrl" (dict "root" $root "database" .name) | quote }}
{{- end }}
{{- if has "redis" $facts.stores }}
- name: REDIS_URL
  value: {{ include "gatehouse.redisUrl" (dict "root" $root "user" $name) | quote }}
{{- end }}
{{- with $facts.metrics }}
- name: {{ .prefix }}_METRICS_PORT
  value: {{ .port | quote }}
- { name: {{ .prefix }}_METRICS_HOST, value: 0.0.0.0 }
{{- end }}
{{- if eq $facts.kind "plugin" }}
- name: METRICS_PORT
  value: {{ $facts.port | quote }}
{{- end }}
{{- range concat $facts.secrets ($values.secrets | default list) }}
- name: {{ . }}_FILE
  value: /run/secrets/{{ lower . }}
{{- end }}
{{- end -}}

{{- define "gatehouse.address" -}}
{{- $component := include "gatehouse.component" (dict "root" .root "name" .callee) -}}
{{- if eq .callee "kong" -}}
http://{{ $component }}:8000
{{- else -}}
{{- $facts := .root.Files.Get "files/processes.yaml" | fromYaml -}}
http://{{ $component }}:{{ (index $facts.processes .callee).port }}
{{- end -}}
{{- end -}}

{{- /* host, or each of several, with its port. */ -}}
{{- define "gatehouse.hosts" -}}
{{- $port := .port -}}
{{- $hosts := list -}}
{{- range splitList "," .host -}}{{- $hosts = append $hosts (printf "%s:%d" . (int $port)) -}}{{- end -}}
{{- join "," $hosts -}}
{{- end -}}

{{- define "gatehouse.databaseUrl" -}}
{{- $store := .root.Values.postgresql -}}
{{- $_ := required "postgresql.host is not set: the address of your PostgreSQL (docs/kubernetes.md)" $store.host -}}
{{- $options := list -}}
{{- with $store.options }}{{- $options = append $options . -}}{{- end -}}
{{- with $store.caSecret }}{{- $options = append $options "sslrootcert=/etc/gatehouse/postgresql/ca.crt" -}}{{- end -}}
postgresql://{{ .database }}@{{ include "gatehouse.hosts" $store }}/{{ .database }}{{ with $options }}?{{ join "&" . }}{{ end }}
{{- end -}}

{{- define "gatehouse.redisUrl" -}}
{{- $store := .root.Values.redis -}}
{{- $_ := required "redis.host is not set: the address of your Redis (docs/kubernetes.md)" $store.host -}}
{{- $options := list -}}
{{- with $store.options }}{{- $options = append $options . -}}{{- end -}}
{{- if $store.caSecret }}{{- $options = append $options "ssl_ca_certs=/etc/gatehouse/redis/ca.crt" -}}{{- end -}}
{{ ternary "rediss" "redis" $store.tls }}://{{ .user }}@{{ include "gatehouse.hosts" $store }}/0{{ with $options }}?{{ join "&" . }}{{ end }}
{{- end -}}

{{- /* Mounts and volumes of a process: its own secrets, authorities, a place for what is not kept. */ -}}
{{- define "gatehouse.mounts" -}}
- { name: {{ .prefix }}tmp, mountPath: /tmp }
{{- if concat .facts.secrets (.values.secrets | default list) }}
- { name: {{ .prefix }}secrets, mountPath: /run/secrets, readOnly: true }
{{- end }}
{{- if and (has "postgres" .facts.stores) .root.Values.postgresql.caSecret }}
- { name: postgresql-ca, mountPath: /etc/gatehouse/postgresql, readOnly: true }
{{- end }}
{{- if and (has "redis" .facts.stores) .root.Values.redis.caSecret }}
- { name: redis-ca, mountPath: /etc/gatehouse/redis, readOnly: true }
{{- end }}
{{- end -}}

{{- define "gatehouse.volumes" -}}
- { name: {{ .prefix }}tmp, emptyDir: { medium: Memory, sizeLimit: 64Mi } }
{{- with concat .facts.secrets (.values.secrets | default list) }}
- name: {{ $.prefix }}secrets
  secret:
    secretName: {{ include "gatehouse.secretName" $ }}
    defaultMode: 0440
    items:
      {{- range . }}
      - { key: {{ lower . }}, path: {{ lower . }} }
      {{- end }}
{{- end }}
{{- end -}}

{{- define "gatehouse.authorities" -}}
{{- if and .postgres .root.Values.postgresql.caSecret }}
- { name: postgresql-ca, secret: { secretName: {{ .root.Values.postgresql.caSecret }}, defaultMode: 0440, items: [{ key: ca.crt, path: ca.crt }] } }
{{- end }}
{{- if and .redis .root.Values.redis.caSecret }}
- { name: redis-ca, secret: { secretName: {{ .root.Values.redis.caSecret }}, defaultMode: 0440, items: [{ key: ca.crt, path: ca.crt }] } }
{{- end }}
{{- end -}}
