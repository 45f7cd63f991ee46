package androidx.compose.ui.text.font

abstract class FontFamily {
    companion object {
        val Monospace: FontFamily get() = TODO()
    }
}
