package androidx.compose.ui

interface Modifier {
    companion object : Modifier
}

interface Alignment {
    interface Vertical

    companion object {
        val BottomCenter: Alignment get() = TODO()
        val CenterVertically: Vertical get() = TODO()
    }
}
