package androidx.compose.foundation.layout

import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.Dp

interface PaddingValues

object Arrangement {
    interface Vertical

    interface HorizontalOrVertical : Vertical

    val Top: Vertical get() = TODO()

    fun spacedBy(space: Dp): HorizontalOrVertical = TODO()

    fun spacedBy(space: Dp, alignment: Alignment.Vertical): Vertical = TODO()
}

interface ColumnScope {
    fun Modifier.weight(weight: Float, fill: Boolean = true): Modifier
}

interface RowScope

interface BoxScope {
    fun Modifier.align(alignment: Alignment): Modifier
}

@Composable
inline fun Column(
    modifier: Modifier = Modifier,
    verticalArrangement: Arrangement.Vertical = Arrangement.Top,
    content: @Composable ColumnScope.() -> Unit,
): Unit = TODO()

@Composable
inline fun Box(modifier: Modifier = Modifier, content: @Composable BoxScope.() -> Unit): Unit = TODO()

fun Modifier.fillMaxSize(fraction: Float = 1f): Modifier = TODO()

fun Modifier.fillMaxWidth(fraction: Float = 1f): Modifier = TODO()

fun Modifier.padding(all: Dp): Modifier = TODO()

fun Modifier.padding(paddingValues: PaddingValues): Modifier = TODO()
