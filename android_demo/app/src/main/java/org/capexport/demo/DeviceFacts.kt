package org.capexport.demo

import android.os.Build

/** What a report says about the device. */
fun deviceFacts(): Map<String, Any> = mapOf(
    "model" to "${Build.MANUFACTURER} ${Build.MODEL}",
    "hardware" to Build.HARDWARE,
    "sdk" to Build.VERSION.SDK_INT,
    "abi" to Build.SUPPORTED_ABIS.first(),
)

/** EXIF's number for a frame that must be turned clockwise by `degrees`. */
fun orientationOf(degrees: Int): Int = when (degrees) {
    90 -> 6
    180 -> 3
    270 -> 8
    else -> 1
}
