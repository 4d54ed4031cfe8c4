{{- /* One variable for each field of modelyard.settings.Settings; lists are joined by commas. */ -}}
{{- define "modelyard.env" -}}
- name: MODELYARD_NAMESPACES
  value: {{ join "," .Values.namespaces | quote }}
- name: MODELYARD_IMAGE
  value: {{ include "modelyard.image" . | quote }}
- name: MODELYARD_IMAGE_PULL_POLICY
  value: {{ .Values.image.pullPolicy | quote }}
- name: MODELYARD_IMAGE_PULL_SECRETS
  value: {{ join "," .Values.checks.pullSecrets | quote }}
- name: MODELYARD_CLUSTER_DOMAIN
  value: {{ .Values.clusterDomain | quote }}
- name: MODELYARD_DNS_NAMESPACE
  value: {{ .Values.network.dns.namespace | quote }}
- name: MODELYARD_DNS_POD_LABELS
  value: {{ include "modelyard.pairs" .Values.network.dns.podLabels | quote }}
- name: MODELYARD_DNS_PORT
  value: {{ .Values.network.dns.port | int | quote }}
- name: MODELYARD_PRIVATE_CIDRS
  value: {{ join "," .Values.network.privateCidrs | quote }}
- name: MODELYARD_CLUSTER_CIDRS
  value: {{ join "," .Values.network.clusterCidrs | quote }}
- name: MODELYARD_GATEWAY_NAMESPACE
  value: {{ ternary .Release.Namespace "" .Values.gateway.enabled | quote }}
- name: MODELYARD_RUN_AS_USER
  value: {{ if kindIs "invalid" .Values.models.runAsUser }}""{{ else }}{{ .Values.models.runAsUser | int | quote }}{{ end }}
- name: MODELYARD_CPU_LIMIT
  value: {{ .Values.models.cpuLimit | quote }}
- name: MODELYARD_INSECURE_REGISTRIES
  value: {{ join "," .Values.registries.insecure | quote }}
- name: MODELYARD_CONCURRENCY
  value: {{ .Values.concurrency | int | quote }}
{{- end -}}
