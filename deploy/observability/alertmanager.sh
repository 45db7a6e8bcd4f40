#!/bin/sh
# Writes Alertmanager's configuration from the environment into DIRECTORY, then becomes the command that follows.
#
#   alertmanager.sh DIRECTORY COMMAND...
#
# SLACK_WEBHOOK_URL and ALERT_MAIL_TO say who hears of alerts; without either, Alertmanager's page shows them and nobody is told.
# Alertmanager reads no variables itself. Secrets go into files beside the configuration, for their owner alone.
set -eu

directory=$1
shift
umask 077
mkdir -p "$directory"

quoted() { # TEXT: as a string of YAML
  printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"
}

if [ -n "${ALERT_MAIL_TO:-}" ]; then
  : "${ALERT_SMTP_HOST:?is host:port of the mail server that takes alerts, since ALERT_MAIL_TO is set}"
fi
printf %s "${SLACK_WEBHOOK_URL:-}" >"$directory/slack_webhook_url"
printf %s "${ALERT_SMTP_PASSWORD:-}" >"$directory/smtp_password"

{
  echo "global:"
  echo "  resolve_timeout: 5m"
  if [ -n "${SLACK_WEBHOOK_URL:-}" ]; then
    echo "  slack_api_url_file: $(quoted "$directory/slack_webhook_url")"
  fi
  if [ -n "${ALERT_MAIL_TO:-}" ]; then
    echo "  smtp_smarthost: $(quoted "$ALERT_SMTP_HOST")"
    echo "  smtp_from: $(quoted "${ALERT_MAIL_FROM:-alerts@gatehouse.local}")"
    echo "  smtp_require_tls: ${ALERT_SMTP_TLS:-true}"
    if [ -n "${ALERT_SMTP_USER:-}" ]; then
      echo "  smtp_auth_username: $(quoted "$ALERT_SMTP_USER")"
      echo "  smtp_auth_password_file: $(quoted "$directory/smtp_password")"
    fi
  fi
  cat <<END
route:
  receiver: people
  group_by: [alertname, objective]
  group_wait: ${ALERT_GROUP_WAIT:-30s}
  group_interval: ${ALERT_GROUP_INTERVAL:-5m}
  repeat_interval: 4h
  routes:
    # Always firing: whoever hears nothing of it any more knows that alerts do not arrive.
    - matchers: ['alertname = "Watchdog"']
      receiver: watchdog
      repeat_interval: 1m
    - matchers: ['severity = "ticket"']
      receiver: people
      repeat_interval: 24h
inhibit_rules:
  # A budget that burns fast burns slowly as well.
  - source_matchers: ['severity = "page"', 'objective =~ ".+"']
    target_matchers: ['severity = "ticket"', 'objective =~ ".+"']
    equal: [objective]
receivers:
END
  echo "  - name: watchdog"
  if [ -n "${WATCHDOG_URL:-}" ]; then
    echo "    webhook_configs: [{ url: $(quoted "$WATCHDOG_URL") }]"
  fi
  echo "  - name: people"
  if [ -n "${SLACK_WEBHOOK_URL:-}" ]; then
    cat <<'END'
    slack_configs:
      - send_resolved: true
        title: '{{ if eq .Status "firing" }}{{ .Alerts.Firing | len }} firing{{ else }}Resolved{{ end }}: {{ .CommonLabels.alertname }}'
        text: |-
          {{ range .Alerts }}*{{ .Annotations.summary }}*{{ range .Labels.SortedPairs }}{{ if and (ne .Name "alertname") (ne .Name "severity") }} {{ .Name }}={{ .Value }}{{ end }}{{ end }} ({{ .Labels.severity }}, {{ .Status }})
          What to do: {{ .Annotations.runbook }}
          {{ end }}
END
    if [ -n "${SLACK_CHANNEL:-}" ]; then echo "        channel: $(quoted "$SLACK_CHANNEL")"; fi
  fi
  if [ -n "${ALERT_MAIL_TO:-}" ]; then
    cat <<END
    email_configs:
      - to: $(quoted "$ALERT_MAIL_TO")
        send_resolved: true
END
    cat <<'END'
        headers: { Subject: '[{{ .Status }}] {{ .CommonLabels.alertname }}' }
        html: ''
        text: |-
          {{ range .Alerts }}{{ .Annotations.summary }}: {{ .Status }} since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}
          {{ range .Labels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}
          What to do: {{ .Annotations.runbook }}

          {{ end }}
END
  fi
} >"$directory/alertmanager.yml"

if [ $# -gt 0 ]; then exec "$@"; fi
