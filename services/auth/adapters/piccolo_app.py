"""What Piccolo's command line needs to know about auth's tables (`piccolo migrations new auth`)."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from services.auth.adapters.tables import AccountRow, SigningKeyRow

APP_CONFIG = AppConfig(
    app_name="auth",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=[AccountRow, SigningKeyRow],
)
