package androidx.compose.ui.semantics

import androidx.compose.ui.Modifier

interface SemanticsPropertyReceiver

class LiveRegionMode private constructor() {
    companion object {
        val Polite: LiveRegionMode get() = TODO()
    }
}

var SemanticsPropertyReceiver.contentDescription: String
    get() = TODO()
    set(value) = TODO()

var SemanticsPropertyReceiver.liveRegion: LiveRegionMode
    get() = TODO()
    set(value) = TODO()

fun Modifier.semantics(
    mergeDescendants: Boolean = false,
    properties: SemanticsPropertyReceiver.() -> Unit,
): Modifier = TODO()

fun Modifier.clearAndSetSemantics(properties: SemanticsPropertyReceiver.() -> Unit): Modifier = TODO()
