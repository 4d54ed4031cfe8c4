{{- define "modelyard.gateway.name" -}}
{{- include "modelyard.name" . | trunc 53 | trimSuffix "-" -}}-gateway
{{- end -}}

{{- /* A Service has a name of at most 63 letters; what is cut off of a longer one stands as its hash. */ -}}
{{- define "modelyard.gateway.metricsName" -}}
{{- $name := include "modelyard.gateway.name" . -}}
{{- if gt (len $name) 55 -}}
{{- $name = printf "%s-%s" ($name | trunc 46) ($name | sha256sum | trunc 8) -}}
{{- end -}}
{{- $name -}}-metrics
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

{{- define "modelyard.gateway.bindingSubject" -}}
- kind: ServiceAccount
  name: {{ include "modelyard.gateway.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
