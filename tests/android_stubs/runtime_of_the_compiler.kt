/** What the Compose compiler plugin weaves into composable functions. */
@file:Suppress("unused", "UNUSED_PARAMETER")

package androidx.compose.runtime

internal object ComposeVersion {
    const val version: Int = 14000
}

interface ScopeUpdateScope {
    fun updateScope(block: (Composer, Int) -> Unit)
}

interface Composer {
    val skipping: Boolean
    val defaultsInvalid: Boolean

    fun startReplaceGroup(key: Int)

    fun endReplaceGroup()

    fun startReplaceableGroup(key: Int)

    fun endReplaceableGroup()

    fun startMovableGroup(key: Int, dataKey: Any?)

    fun endMovableGroup()

    fun startDefaults()

    fun endDefaults()

    fun startRestartGroup(key: Int): Composer

    fun endRestartGroup(): ScopeUpdateScope?

    fun skipToGroupEnd()

    fun shouldExecute(parametersChanged: Boolean, flags: Int): Boolean

    fun rememberedValue(): Any?

    fun updateRememberedValue(value: Any?)

    fun changed(value: Any?): Boolean

    fun changed(value: Boolean): Boolean

    fun changed(value: Int): Boolean

    fun changed(value: Float): Boolean

    fun changed(value: Long): Boolean

    fun changed(value: Double): Boolean

    fun changed(value: Char): Boolean

    fun changed(value: Byte): Boolean

    fun changed(value: Short): Boolean

    fun changedInstance(value: Any?): Boolean

    fun joinKey(left: Any?, right: Any?): Any

    companion object {
        val Empty: Any get() = TODO()
    }
}

val currentComposer: Composer
    @Composable get() = TODO()

inline fun <T> Composer.cache(invalid: Boolean, block: () -> T): T = TODO()

fun isTraceInProgress(): Boolean = TODO()

fun traceEventStart(key: Int, dirty1: Int, dirty2: Int, info: String): Unit = TODO()

fun traceEventEnd(): Unit = TODO()

fun sourceInformation(composer: Composer, sourceInformation: String): Unit = TODO()

fun sourceInformationMarkerStart(composer: Composer, key: Int, sourceInformation: String): Unit =
    TODO()

fun sourceInformationMarkerEnd(composer: Composer): Unit = TODO()

fun updateChangedFlags(flags: Int): Int = TODO()

annotation class ComposableTarget(val applier: String)

annotation class ComposableOpenTarget(val index: Int)

annotation class ComposableInferredTarget(val scheme: String)

annotation class DisallowComposableCalls

annotation class ReadOnlyComposable

annotation class NonRestartableComposable

annotation class NonSkippableComposable

annotation class ExplicitGroupsComposable

annotation class StableMarker

annotation class Stable

annotation class Immutable
