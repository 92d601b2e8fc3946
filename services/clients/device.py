"""How Porter shows in an account's list of devices. Both libraries say the same, since they share the auth key."""

DEVICE_MODEL = "Porter"
SYSTEM_VERSION = "Server"
APP_VERSION = "0.1"
LANGUAGE = "en"
