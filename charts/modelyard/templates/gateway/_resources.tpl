{{- /* MiB that the gateway needs at its limits: of each worker what it takes at rest; bodies that are held as they came,
as they go to models, and answers as they come from these; and a body or an answer that is being read, one at a time, which
takes up to 32 times its size for that moment. No larger answer is read than may be held. */ -}}
{{- define "modelyard.gateway.room" -}}
{{- $held := include "modelyard.gateway.chosen" (list .Values "max-held-bytes" 268435456) | int64 -}}
{{- $body := include "modelyard.gateway.chosen" (list .Values "max-body-bytes" 67108864) | int64 -}}
{{- $answer := include "modelyard.gateway.chosen" (list .Values "max-answer-bytes" 67108864) | int64 -}}
{{- if lt $held $body -}}
{{- fail (printf "gateway.options.max-held-bytes (%d) is below max-body-bytes (%d): a body of that size would never be taken" $held $body) -}}
{{- end -}}
{{- $worker := add 67108864 (mul 3 $held) (mul 32 (max $body (min $answer $held))) -}}
{{- div (add (mul .Values.gateway.workers $worker) 1048575) 1048576 -}}
{{- end -}}

{{- /* A quantity in thousandths: of a byte, or of a core. */ -}}
{{- define "modelyard.gateway.thousandths" -}}
{{- $text := include "modelyard.gateway.option" . -}}
{{- $unit := regexFind "[a-zA-Z]*$" $text -}}
{{- $units := dict "" 1e3 "m" 1.0 "k" 1e6 "M" 1e9 "G" 1e12 "Ki" 1024e3 "Mi" 1048576e3 "Gi" 1073741824e3 -}}
{{- mulf (trimSuffix $unit $text | float64) (get $units $unit) | floor | int64 -}}
{{- end -}}

{{- /* `less`, if the first of two quantities is less than the other. */ -}}
{{- define "modelyard.gateway.less" -}}
{{- if lt (include "modelyard.gateway.thousandths" (index . 0) | int64) (include "modelyard.gateway.thousandths" (index . 1) | int64) -}}
less
{{- end -}}
{{- end -}}

{{- /* A memory limit that does not hold what may come, and a request above its limit, are refused. */ -}}
{{- define "modelyard.gateway.checkResources" -}}
{{- $given := .Values.gateway.resources -}}
{{- $room := printf "%sMi" (include "modelyard.gateway.room" .) -}}
{{- if hasKey $given.limits "memory" -}}
{{- if include "modelyard.gateway.less" (list $given.limits.memory $room) -}}
{{- fail (printf "gateway.resources.limits.memory (%s) is less than the %s that gateway.workers may take: lower gateway.options.max-held-bytes (3 times) and gateway.options.max-body-bytes and gateway.options.max-answer-bytes (32 times the larger), or leave it out" (include "modelyard.gateway.option" $given.limits.memory) $room) -}}
{{- end -}}
{{- end -}}
{{- range $name, $request := $given.requests -}}
{{- if hasKey $given.limits $name -}}
{{- $limit := get $given.limits $name -}}
{{- if include "modelyard.gateway.less" (list $limit $request) -}}
{{- fail (printf "gateway.resources.requests.%s (%s) is more than gateway.resources.limits.%s (%s)" $name (include "modelyard.gateway.option" $request) $name (include "modelyard.gateway.option" $limit)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What is not given follows from the workers and from what they may hold: a limit is no lower than the request that is
given, and a request no higher than the limit. */ -}}
{{- define "modelyard.gateway.resources" -}}
{{- include "modelyard.gateway.checkResources" . -}}
{{- $workers := .Values.gateway.workers -}}
{{- $given := .Values.gateway.resources -}}
{{- $limits := merge dict $given.limits (dict "memory" (printf "%sMi" (include "modelyard.gateway.room" .))) -}}
{{- if and (hasKey $given.requests "memory") (include "modelyard.gateway.less" (list $limits.memory $given.requests.memory)) -}}
{{- $_ := set $limits "memory" $given.requests.memory -}}
{{- end -}}
{{- $requests := merge dict $given.requests (dict "cpu" (printf "%dm" (mul 500 $workers)) "memory" (printf "%dMi" (mul 128 $workers))) -}}
{{- range $name, $limit := $limits -}}
{{- if and (hasKey $requests $name) (include "modelyard.gateway.less" (list $limit (get $requests $name))) -}}
{{- $_ := set $requests $name $limit -}}
{{- end -}}
{{- end -}}
requests:
  {{- toYaml $requests | nindent 2 }}
limits:
  {{- toYaml $limits | nindent 2 }}
{{- end -}}

{{- /* Thousandths of a core that pods use when more of them are added. Numbers of pods, and limits, with which none ever
would be, are refused: an autoscaler overlooks a tenth above its target. */ -}}
{{- define "modelyard.gateway.busy" -}}
{{- $scaling := .Values.gateway.autoscaling -}}
{{- $busy := mul .Values.gateway.workers $scaling.targetCpu 10 -}}
{{- if gt (int64 $scaling.minReplicas) (int64 $scaling.maxReplicas) -}}
{{- fail (printf "gateway.autoscaling.minReplicas (%d) is more than gateway.autoscaling.maxReplicas (%d)" (int64 $scaling.minReplicas) (int64 $scaling.maxReplicas)) -}}
{{- end -}}
{{- with .Values.gateway.resources.limits.cpu -}}
{{- $least := printf "%dm" (div (mul 11 $busy) 10) -}}
{{- if not (include "modelyard.gateway.less" (list $least .)) -}}
{{- fail (printf "gateway.resources.limits.cpu (%s) has to be above %s, gateway.autoscaling.targetCpu of a core for each of gateway.workers and a tenth more: no pod would ever be added" (include "modelyard.gateway.option" .) $least) -}}
{{- end -}}
{{- end -}}
{{- $busy -}}
{{- end -}}
