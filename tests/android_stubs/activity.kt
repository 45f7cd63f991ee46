package androidx.activity

import android.app.Activity
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ViewModel

open class ComponentActivity : Activity(), LifecycleOwner

fun ComponentActivity.enableEdgeToEdge(): Unit = TODO()

inline fun <reified M : ViewModel> ComponentActivity.viewModels(): Lazy<M> = TODO()
