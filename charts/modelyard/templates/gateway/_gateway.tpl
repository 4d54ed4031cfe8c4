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

{{- define "modelyard.gateway.bindingSubject" -}}
- kind: ServiceAccount
  name: {{ include "modelyard.gateway.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
