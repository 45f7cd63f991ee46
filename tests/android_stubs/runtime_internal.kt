/** What the Compose compiler plugin makes of composable lambdas. */
@file:Suppress("unused")

package androidx.compose.runtime.internal

import androidx.compose.runtime.Composable
import androidx.compose.runtime.Composer

interface ComposableLambda : Function2<Composer, Int, Any?>, Function3<Any?, Composer, Int, Any?>

fun composableLambda(
    composer: Composer,
    key: Int,
    tracked: Boolean,
    block: Any,
): ComposableLambda = TODO()

fun composableLambdaInstance(key: Int, tracked: Boolean, block: Any): ComposableLambda = TODO()

@Composable
fun rememberComposableLambda(key: Int, tracked: Boolean, block: Any): ComposableLambda = TODO()

@Retention(AnnotationRetention.BINARY)
annotation class StabilityInferred(val parameters: Int)

annotation class FunctionKeyMeta(val key: Int, val startOffset: Int, val endOffset: Int)
