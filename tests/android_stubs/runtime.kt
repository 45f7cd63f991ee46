package androidx.compose.runtime

import kotlin.reflect.KProperty
import kotlinx.coroutines.CoroutineScope

@Retention(AnnotationRetention.BINARY)
@Target(
    AnnotationTarget.FUNCTION,
    AnnotationTarget.TYPE,
    AnnotationTarget.TYPE_PARAMETER,
    AnnotationTarget.PROPERTY_GETTER,
)
annotation class Composable

interface State<out T> {
    val value: T
}

interface MutableState<T> : State<T> {
    override var value: T
}

interface MutableIntState : MutableState<Int> {
    var intValue: Int
}

abstract class ProvidableCompositionLocal<T> {
    val current: T
        @Composable get() = TODO()
}

operator fun <T> State<T>.getValue(owner: Any?, property: KProperty<*>): T = TODO()

operator fun <T> MutableState<T>.setValue(owner: Any?, property: KProperty<*>, value: T): Unit =
    TODO()

fun <T> mutableStateOf(value: T): MutableState<T> = TODO()

fun mutableIntStateOf(value: Int): MutableIntState = TODO()

@Composable
inline fun <T> remember(crossinline calculation: () -> T): T = TODO()

@Composable
inline fun <T> remember(key1: Any?, crossinline calculation: () -> T): T = TODO()

@Composable
inline fun <T> remember(key1: Any?, key2: Any?, crossinline calculation: () -> T): T = TODO()

@Composable
inline fun <T> remember(key1: Any?, key2: Any?, key3: Any?, crossinline calculation: () -> T): T =
    TODO()

@Composable
inline fun <T> remember(vararg keys: Any?, crossinline calculation: () -> T): T = TODO()

@Composable
fun LaunchedEffect(key1: Any?, block: suspend CoroutineScope.() -> Unit): Unit = TODO()
