package androidx.compose.material3

import android.content.Context
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.RowScope
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontFamily

@RequiresOptIn
@Retention(AnnotationRetention.BINARY)
annotation class ExperimentalMaterial3Api

class ColorScheme

class Typography {
    val headlineSmall: TextStyle get() = TODO()
    val titleLarge: TextStyle get() = TODO()
    val bodyLarge: TextStyle get() = TODO()
    val bodySmall: TextStyle get() = TODO()
}

object MaterialTheme {
    val typography: Typography
        @Composable get() = TODO()
}

fun lightColorScheme(): ColorScheme = TODO()

fun darkColorScheme(): ColorScheme = TODO()

fun dynamicLightColorScheme(context: Context): ColorScheme = TODO()

fun dynamicDarkColorScheme(context: Context): ColorScheme = TODO()

@Composable
fun MaterialTheme(colorScheme: ColorScheme, content: @Composable () -> Unit): Unit = TODO()

@Composable
fun Text(
    text: String,
    modifier: Modifier = Modifier,
    fontFamily: FontFamily? = null,
    style: TextStyle = TODO(),
): Unit = TODO()

@Composable
fun Button(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
fun OutlinedButton(
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    enabled: Boolean = true,
    content: @Composable RowScope.() -> Unit,
): Unit = TODO()

@Composable
fun Surface(modifier: Modifier = Modifier, content: @Composable () -> Unit): Unit = TODO()

@Composable
fun Scaffold(modifier: Modifier = Modifier, content: @Composable (PaddingValues) -> Unit): Unit =
    TODO()

@Composable
fun PrimaryTabRow(
    selectedTabIndex: Int,
    modifier: Modifier = Modifier,
    tabs: @Composable () -> Unit,
): Unit = TODO()

@Composable
fun Tab(
    selected: Boolean,
    onClick: () -> Unit,
    modifier: Modifier = Modifier,
    text: @Composable (() -> Unit)? = null,
): Unit = TODO()
