package androidx.compose.foundation

import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.ImageBitmap

class ScrollState

@Composable
fun rememberScrollState(initial: Int = 0): ScrollState = TODO()

fun Modifier.verticalScroll(state: ScrollState, enabled: Boolean = true): Modifier = TODO()

@Composable
fun isSystemInDarkTheme(): Boolean = TODO()

@Composable
fun Image(bitmap: ImageBitmap, contentDescription: String?, modifier: Modifier = Modifier): Unit =
    TODO()
