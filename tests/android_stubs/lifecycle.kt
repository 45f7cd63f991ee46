package androidx.lifecycle

import android.app.Application
import kotlinx.coroutines.CoroutineScope

interface LifecycleOwner

abstract class ViewModel {
    protected open fun onCleared(): Unit = TODO()
}

open class AndroidViewModel(application: Application) : ViewModel() {
    fun <T : Application> getApplication(): T = TODO()
}

val ViewModel.viewModelScope: CoroutineScope get() = TODO()
