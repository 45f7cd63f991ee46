"""Bundle + the demo's Gradle project -> an APK, where Android's SDK is installed."""

import os
import shutil
from pathlib import Path

from capexport.android.demo import place_bundle
from capexport.android.tools import run
from capexport.bundle import Bundle

ASSETS = "app/src/main/assets"
GRADLE_GOLDENS = "app/src/androidTest/assets/goldens"
BUILT = "app/build/outputs/apk/debug/app-debug.apk"
SDK_VARIABLES = ("ANDROID_HOME", "ANDROID_SDK_ROOT")


def sdk_folder() -> Path | None:
    """Android's SDK, by the variables that its own tools read."""
    for variable in SDK_VARIABLES:
        folder = os.environ.get(variable)
        if folder and Path(folder, "platforms").is_dir():
            return Path(folder)
    return None


def build_with_gradle(bundle: Bundle, demo: Path, out: Path) -> Path:
    """The demo's own APK, signed by the SDK's debug key, copied to `out`.

    Raises:
        RuntimeMissingError: the build fails, for instance since Gradle cannot be downloaded.
    """
    place_bundle(bundle, demo / ASSETS)
    run([str(demo / "gradlew"), "--no-daemon", "--quiet", ":app:assembleDebug"], folder=demo)
    shutil.copyfile(demo / BUILT, out)
    return out
