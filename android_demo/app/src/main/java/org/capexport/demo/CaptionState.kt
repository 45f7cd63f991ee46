package org.capexport.demo

import android.graphics.Bitmap
import org.capexport.core.CaptionException

/** What the screen shows; replaced as a whole. */
data class CaptionState(
    val opening: Boolean = true,
    val photo: Bitmap? = null,
    val caption: String = "",
    /** Whether the caption will not change any more: only then it is read aloud and shared. */
    val isWhole: Boolean = false,
    val took: Took? = null,
    val liveCaption: String = "",
    val measuring: Boolean = false,
    val report: String? = null,
    val error: CaptionException? = null,
)

/** What a caption took. */
data class Took(val runtime: String, val steps: Int, val milliseconds: Double)
