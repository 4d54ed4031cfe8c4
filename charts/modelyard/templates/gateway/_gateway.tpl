{{- define "modelyard.gateway.name" -}}
{{- include "modelyard.name" . | trunc 53 | trimSuffix "-" -}}-gateway
{{- end -}}

{{- define "modelyard.gateway.serviceAccount" -}}
{{- $account := .Values.gateway.serviceAccount -}}
{{- $account.name | default (ternary (include "modelyard.gateway.name" .) "default" $account.create) -}}
{{- end -}}

{{- /* Other labels than the operator's: its Service and its Deployment would take these pods for theirs. */ -}}
{{- define "modelyard.gateway.selectorLabels" -}}
app.kubernetes.io/name: modelyard-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "modelyard.gateway.labels" -}}
{{ include "modelyard.gateway.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* What a model is, and where its pods are, stands in its Services and their EndpointSlices. */ -}}
{{- define "modelyard.gateway.rules" -}}
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- end -}}

{{- /* A value as the command takes it: YAML makes 1.048576e+06 of 1048576. */ -}}
{{- define "modelyard.gateway.option" -}}
{{- if or (kindIs "string" .) (kindIs "bool" .) -}}{{ . }}
{{- else if eq (float64 .) (float64 (int64 .)) -}}{{ int64 . }}
{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{- /* One of the options, as the command takes it, or the command's own default. Takes (values, name, default). */ -}}
{{- define "modelyard.gateway.chosen" -}}
{{- $options := (index . 0).gateway.options -}}
{{- include "modelyard.gateway.option" (get $options (index . 1) | default (index . 2)) -}}
{{- end -}}

{{- /* Options whose names are values of the chart, or that contradict them, are refused. */ -}}
{{- define "modelyard.gateway.checkedOptions" -}}
{{- $gateway := .Values.gateway -}}
{{- range $option, $value := dict "grace" "graceSeconds" "drain-delay" "drainSeconds" -}}
{{- if hasKey $gateway.options $option -}}
{{- fail (printf "gateway.options.%s: set gateway.%s instead, from which the time follows that the pod has to end" $option $value) -}}
{{- end -}}
{{- end -}}
{{- $whole := include "modelyard.gateway.chosen" (list .Values "whole-timeout" 60) -}}
{{- if gt (float64 $whole) (float64 $gateway.graceSeconds) -}}
{{- fail (printf "gateway.graceSeconds (%d) is shorter than a prediction may take (%s s, gateway.options.whole-timeout): what is under way would be cut off when a pod ends" (int $gateway.graceSeconds) $whole) -}}
{{- end -}}
{{- range $name, $value := $gateway.options }}
- {{ printf "--%s=%s" $name (include "modelyard.gateway.option" $value) | quote }}
{{- end -}}
{{- end -}}

{{- /* The namespace of `/v2/...`: models of one that is not watched would all be 404. */ -}}
{{- define "modelyard.gateway.defaultNamespace" -}}
{{- $default := .Values.gateway.defaultNamespace -}}
{{- if and .Values.namespaces (not (has $default .Values.namespaces)) -}}
{{- fail (printf "gateway.defaultNamespace (%s) is none of namespaces (%s): the gateway does not watch it" $default (join ", " .Values.namespaces)) -}}
{{- end -}}
{{- $default -}}
{{- end -}}

{{- /* MiB that the gateway needs at its limits: of each worker what it takes at rest, bodies that are held as they came
and as they go to models, and one that is being read, which takes up to 32 times its size for that moment. */ -}}
{{- define "modelyard.gateway.room" -}}
{{- $held := include "modelyard.gateway.chosen" (list .Values "max-held-bytes" 268435456) | int64 -}}
{{- $body := include "modelyard.gateway.chosen" (list .Values "max-body-bytes" 67108864) | int64 -}}
{{- $worker := add 67108864 (mul 2 $held) (mul 32 $body) -}}
{{- div (add (mul .Values.gateway.workers $worker) 1048575) 1048576 -}}
{{- end -}}

{{- /* A quantity of memory in bytes. */ -}}
{{- define "modelyard.gateway.bytes" -}}
{{- $text := include "modelyard.gateway.option" . -}}
{{- $unit := regexFind "[a-zA-Z]*$" $text -}}
{{- $units := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 -}}
{{- mulf (trimSuffix $unit $text | float64) (get $units $unit) | floor | int64 -}}
{{- end -}}

{{- /* What is not given follows from the workers and from what they may hold. */ -}}
{{- define "modelyard.gateway.resources" -}}
{{- $gateway := .Values.gateway -}}
{{- $room := include "modelyard.gateway.room" . | int64 -}}
{{- $requests := dict "cpu" (printf "%dm" (mul 500 $gateway.workers)) "memory" (printf "%dMi" (mul 128 $gateway.workers)) -}}
{{- $limits := dict "memory" (printf "%dMi" $room) -}}
{{- with $gateway.resources.limits.memory -}}
{{- if lt (include "modelyard.gateway.bytes" . | int64) (mul 1048576 $room) -}}
{{- fail (printf "gateway.resources.limits.memory (%s) is less than the %dMi that gateway.workers may take: lower gateway.options.max-held-bytes (twice) and gateway.options.max-body-bytes (32 times), or leave it out" (include "modelyard.gateway.option" .) $room) -}}
{{- end -}}
{{- end -}}
requests:
  {{- toYaml (merge dict $gateway.resources.requests $requests) | nindent 2 }}
limits:
  {{- toYaml (merge dict $gateway.resources.limits $limits) | nindent 2 }}
{{- end -}}

{{- define "modelyard.gateway.bindingSubject" -}}
- kind: ServiceAccount
  name: {{ include "modelyard.gateway.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
