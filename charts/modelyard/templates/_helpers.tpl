{{- /* Services get it, and their names are stricter than those of releases. */ -}}
{{- define "modelyard.name" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) -}}
{{- fail (printf "the release's name (%s) has to start with a letter and to consist of lower-case letters, digits and '-': Services get it" .Release.Name) -}}
{{- end -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{- define "modelyard.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "modelyard.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- define "modelyard.image" -}}
{{- $i := .Values.image -}}
{{- if $i.digest -}}{{ $i.repository }}@{{ $i.digest }}{{- else -}}{{ $i.repository }}:{{ $i.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- define "modelyard.selectorLabels" -}}
app.kubernetes.io/name: modelyard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "modelyard.labels" -}}
{{ include "modelyard.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* Pods of the chart fit Pod Security `restricted`: this of the pod, the next of its container. */ -}}
{{- define "modelyard.podSecurityContext" -}}
securityContext:
  runAsNonRoot: true
  {{- with .Values.models.runAsUser }}
  runAsUser: {{ int . }}
  runAsGroup: {{ int . }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "modelyard.securityContext" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "modelyard.pullSecrets" -}}
{{- with .Values.image.pullSecrets -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "modelyard.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* One rule for the whole cluster, or one for each watched namespace: the rules are the same. */ -}}
{{- define "modelyard.rules" -}}
# What people declare. The operator reads the spec and writes the status, never the other way round.
- apiGroups: [modelyard.dev]
  resources: [executionenvironments, custommodels, custommodelversions]
  verbs: [get, list, watch]
# What the operator declares: versions of environments, tests of a gate, facts. A ledger is replaced with a
# precondition and never deleted; it goes with its model.
- apiGroups: [modelyard.dev]
  resources: [executionenvironmentversions]
  verbs: [get, list, watch, create, patch]
- apiGroups: [modelyard.dev]
  resources: [modeltests]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [modelyard.dev]
  resources: [modelledgers]
  verbs: [list, watch, create, update]
- apiGroups: [modelyard.dev]
  resources:
    - executionenvironments/status
    - executionenvironmentversions/status
    - custommodels/status
    - custommodelversions/status
    - modeltests/status
  verbs: [patch]
# The children. ConfigMaps include those that users name as a source.
- apiGroups: [apps]
  resources: [deployments, controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
# What the children come to.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# The log of a test's runner, which holds its full report.
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
# Pull credentials, by name, to resolve a tag to a digest. No list: the operator cannot look around.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{- define "modelyard.bindingSubject" -}}
- kind: ServiceAccount
  name: {{ include "modelyard.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{- define "modelyard.pairs" -}}
{{- $pairs := list -}}
{{- range $key, $value := . -}}{{- $pairs = append $pairs (printf "%s=%s" $key $value) -}}{{- end -}}
{{- join "," $pairs -}}
{{- end -}}
