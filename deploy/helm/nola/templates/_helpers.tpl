{{- define "nola.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "nola.registry" -}}
{{ include "nola.fullname" . }}-registry
{{- end }}

{{/* Labels of an object of a component: (list $ "registry") */}}
{{- define "nola.labels" -}}
{{- $root := index . 0 -}}
{{ include "nola.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* Labels that select the pods of a component; they never change. */}}
{{- define "nola.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: nola
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "nola.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "nola.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "nola.workerRegistryUrl" -}}
{{ .Values.workers.registryUrl | default (printf "http://%s:%v" (include "nola.registry" .) .Values.service.port) }}
{{- end }}

{{/* Whether several servers may run at the same time. */}}
{{- define "nola.hasReplicas" -}}
{{- if or (and .Values.registry.autoscaling.enabled (gt (int .Values.registry.autoscaling.maxReplicas) 1)) (and (not .Values.registry.autoscaling.enabled) (gt (int .Values.registry.replicas) 1)) -}}
true
{{- end }}
{{- end }}

{{/* What the schema cannot say, since it concerns several values. */}}
{{- define "nola.check" -}}
{{- $v := .Values -}}
{{- if and $v.ingress.enabled (not $v.registry.trustedProxies) }}
{{- fail "registry.trustedProxies missing; with ingress.enabled it must have the networks of the ingress controller's pods, such as 10.42.0.0/16" }}
{{- end }}
{{- if and (eq $v.blobs.store "folder") (include "nola.hasReplicas" .) (not $v.blobs.folder.existingClaim) (ne $v.blobs.folder.accessMode "ReadWriteMany") }}
{{- fail (printf "invalid blobs.folder.accessMode: %s; several servers need ReadWriteMany, or use blobs.store=s3, or one server" $v.blobs.folder.accessMode) }}
{{- end }}
{{- if eq $v.blobs.store "s3" }}
{{- if or (not $v.registry.signingKeySecret.name) (not $v.registry.webhookKeySecret.name) }}
{{- fail "registry.signingKeySecret.name or registry.webhookKeySecret.name missing; with blobs.store=s3 the servers share no folder, so both keys must come from Secrets" }}
{{- end }}
{{- end }}
{{- if and $v.registry.autoscaling.enabled (lt (int $v.registry.autoscaling.maxReplicas) (int $v.registry.autoscaling.minReplicas)) }}
{{- fail (printf "invalid registry.autoscaling.maxReplicas: %v; must be at least minReplicas (%v)" $v.registry.autoscaling.maxReplicas $v.registry.autoscaling.minReplicas) }}
{{- end }}
{{- range $kind := list "cpu" "gpu" }}
{{- $pool := index $v.workers $kind }}
{{- if $pool.enabled }}
{{- if not $v.workers.tokenSecret.name }}
{{- fail (printf "workers.tokenSecret.name missing; workers.%s.enabled needs a Secret with a token of scope worker" $kind) }}
{{- end }}
{{- if and $pool.scaling.enabled (not $v.workers.prometheusUrl) }}
{{- fail (printf "workers.prometheusUrl missing; workers.%s.scaling.enabled needs the URL of Prometheus" $kind) }}
{{- end }}
{{- if and $pool.scaling.enabled (lt (int $pool.scaling.maxReplicas) (int $pool.scaling.minReplicas)) }}
{{- fail (printf "invalid workers.%s.scaling.maxReplicas: %v; must be at least minReplicas (%v)" $kind $pool.scaling.maxReplicas $pool.scaling.minReplicas) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
